import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { company, meters } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at, type LogEntry } from './usage-log.ts'

let room: CloseRoom
let tenant: TestTenant

beforeAll(async () => {
  room = await openCloseRoom('corrections')
  tenant = await room.installation.createTenant('acme')
  await room.createMeters('acme', meters)
  await room.apply(tenant, company(2))
})
afterAll(() => room?.close())

const call = (time: string, subject = 'c1-subject'): LogEntry =>
  room.log.append({ tenant: 'acme', type: 'api.request', subject, time: at(time), data: { status: 'ok' } })

async function close(until: string): Promise<{ id: string; customer: string; period: { start: string } }[]> {
  await room.completeUsage(at(until), [tenant])
  const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { until })
  return Object(body).invoices
}

const verify = async (id: string) => (await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body

async function callsOf(id: string): Promise<string> {
  const response = await fetch(`${room.url}/v1/invoices/${id}/certificate`, {
    headers: { authorization: `Bearer ${tenant.key}` },
  })
  const certificate = Object(await response.json())
  return certificate.usage.find(({ meter }: { meter: string }) => meter === 'calls').quantity
}

test('an invoice bills what is in force at its cut, and verifies whatever is corrected later', async () => {
  const [first, second, third] = ['01', '02', '03'].map((day) => call(`2026-10-${day}T10:00:00Z`))
  if (!first || !second || !third) throw new Error('three events')
  room.log.correct(first, 'void')
  const moved = room.log.correct(second, { subject: 'c2-subject' })
  // Out of the period, and the other way round.
  room.log.correct(third, { time: at('2026-11-03T10:00:00Z') })
  room.log.correct(call('2026-11-04T10:00:00Z'), { time: at('2026-10-04T10:00:00Z') })
  const october = await close('2026-11-01T00:10:00Z')
  const [own, other] = ['c1', 'c2'].map((name) => october.find(({ customer }) => customer === name)?.id ?? '')
  expect([await callsOf(own ?? ''), await callsOf(other ?? '')]).toEqual(['1', '1'])

  room.log.correct(moved, 'void')
  room.log.correct(call('2026-10-20T10:00:00Z'), 'void')
  const november = await close('2026-12-01T00:10:00Z')
  for (const id of [own, other]) expect(await verify(id ?? '')).toMatchObject({ verified: true })
  const next = november.find(
    ({ customer, period }) => customer === 'c1' && period.start.startsWith('2026-11'),
  )
  expect(await callsOf(next?.id ?? '')).toBe('1')
  expect(await verify(next?.id ?? '')).toMatchObject({ verified: true })
})

test('a correction that the ledger knows and the reads do not stops the close instead of billing twice', async () => {
  room.log.correct(call('2026-12-05T10:00:00Z'), { data: { status: 'ok', retried: true } })
  await room.completeUsage(at('2027-01-01T00:10:00Z'), [tenant])
  await room.clickHouse.command(
    "DELETE FROM usage_corrections WHERE superseded_hour = toDateTime('2026-12-05 10:00:00', 'UTC')",
  )
  const until = '2027-01-01T00:10:00Z'
  const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { until })
  expect(JSON.stringify(body)).toMatch('ledger_mismatch')
  expect(JSON.stringify(body)).toMatch('0 of its events are superseded there, 1 in the ledger')
})
