import { createHash } from 'node:crypto'
import { openAdminConnection } from '@tidemark/infra/migrations/admin-connection.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { company, meters } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom
let tenant: TestTenant
let id: string

beforeAll(async () => {
  room = await openCloseRoom('certificate')
  tenant = await room.installation.createTenant('acme')
  await room.createMeters('acme', meters)
  await room.apply(tenant, company(2))
  for (let index = 0; index < 40; index++) {
    const time = at('2026-10-05T10:59:59Z') + index * 1_000_000
    const subject = index % 2 === 0 ? 'c1-subject' : 'c2-subject'
    room.log.append({ tenant: 'acme', type: 'api.request', subject, time, data: { status: 'ok' } })
    room.log.append({ tenant: 'acme', type: 'transfer.finished', subject, time, data: { gb: '1.000000001' } })
  }
  await room.completeUsage(at('2026-11-01T00:10:00Z'), [tenant])
  const until = '2026-11-01T00:10:00Z'
  const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { until })
  id = Object(body.invoices)[0].id
})
afterAll(() => room?.close())

const verify = async () => (await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body
const pathOfDifference = async () => Object((await verify()).difference).path

/** Changes rows as only an administrator can, and changes them back. */
async function tampered<T>(change: string, back: string, look: () => Promise<T>): Promise<T> {
  const admin = await openAdminConnection(
    room.installation.env.POSTGRES_URL ?? '',
    room.installation.database,
  )
  try {
    // Whoever may do that is not held up by triggers either.
    await admin.query("SET session_replication_role = 'replica'")
    await admin.query(change)
    return await look()
  } finally {
    await admin.query(back)
    await admin.end()
  }
}

test('names what the invoice rests on, and its hash is of its bytes', async () => {
  const response = await fetch(`${room.url}/v1/invoices/${id}/certificate`, {
    headers: { authorization: `Bearer ${tenant.key}` },
  })
  const text = await response.text()
  expect(response.headers.get('x-tidemark-sha256')).toBe(createHash('sha256').update(text).digest('hex'))
  expect(JSON.parse(text)).toMatchObject({
    version: 2,
    kind: 'recurring',
    tenant: 'acme',
    invoice: { id, number: 'ACME-000001' },
    cut: '1/0:10,1/1:10,1/2:10,1/3:10,1/4:10,1/5:10,1/6:10,1/7:10',
    hashes: { events: 'siphash128-sum', payload: 'xxh64x2' },
    lost: [],
    mapping: [
      { subject: 'c1-subject', from: '2026-10-01T00:00:00.000000Z', to: '2026-11-01T00:00:00.000000Z' },
    ],
    usage: [
      { meter: 'calls', version: 1, events: { count: '20', unreadable: '0' }, quantity: '20' },
      { meter: 'gb', version: 1, events: { count: '20' }, quantity: '20.00000002' },
    ],
    phases: [{ status: 'active', plan: 'standard', version: 1, quantity: '1', addOns: [] }],
    plans: [{ id: 'standard', version: 1 }],
    tax: { provider: 'fixed' },
    total: '23.80',
  })
})

test('recomputes to the same bytes, also after later events and a new plan version', async () => {
  expect(await verify()).toMatchObject({ verified: true })
  const time = at('2026-10-05T11:00:00Z')
  room.log.append({
    tenant: 'acme',
    type: 'api.request',
    subject: 'c1-subject',
    time,
    data: { status: 'ok' },
  })
  await room.completeUsage(at('2026-11-02T00:00:00Z'), [tenant])
  const [plan] = company(1).plans ?? []
  if (!plan) throw new Error('a plan')
  await room.apply(tenant, { plans: [{ ...plan, prices: [{ id: 'base', model: 'flat', amount: '99.00' }] }] })
  expect(await verify()).toMatchObject({ verified: true })
})

test('finds a changed line, total, price, mapping, tax and certificate', async () => {
  const line = (amount: number) =>
    `UPDATE billing.invoice_lines SET amount_micros = ${amount}, net_micros = ${amount} WHERE invoice_id = '${id}' AND position = 1`
  expect(await tampered(line(19_000_000), line(20_000_000), pathOfDifference)).toBe('stored lines[0].amount')

  const total = (amount: number) =>
    `UPDATE billing.invoices SET total_micros = ${amount}, net_micros = ${amount}, amount_due_micros = ${amount} WHERE id = '${id}'`
  expect(await tampered(total(1), total(23_800_000), pathOfDifference)).toBe('stored net')

  const price = (amount: string) =>
    `UPDATE billing.plan_versions SET definition = jsonb_set(definition, '{prices,0,amount}', '"${amount}"')
     WHERE plan = 'standard' AND version = 1`
  expect(await tampered(price('21.00'), price('20.00'), pathOfDifference)).toBe('plans[0].sha256')

  const mapping = (subject: string, was: string) =>
    `UPDATE billing.subjects SET subject = '${subject}' WHERE subject = '${was}'`
  expect(await tampered(mapping('x', 'c1-subject'), mapping('c1-subject', 'x'), pathOfDifference)).toMatch(
    /^mapping/,
  )

  const taxes = (of: string) => `UPDATE billing.invoices SET taxes = '${of}' WHERE id = '${id}'`
  const vat = '[{"id":"vat","rate":"19","baseMicros":"1","amountMicros":"1"}]'
  expect(await tampered(taxes(vat), taxes('[]'), pathOfDifference)).toBe('stored taxes[0]')

  const answer = (changed: string) =>
    `UPDATE billing.tax_calculations SET answer = answer ${changed} WHERE key = '${id}'`
  expect(await tampered(answer(`|| '{"more":1}'`), answer(`- 'more'`), pathOfDifference)).toBe('tax.more')

  const request = (taxInclusive: boolean) =>
    `UPDATE billing.tax_calculations SET request = jsonb_set(request, '{taxInclusive}', '${taxInclusive}')
     WHERE key = '${id}'`
  expect(await tampered(request(true), request(false), pathOfDifference)).toBe('tax.request')

  const document = (from: string, to: string) =>
    `UPDATE billing.certificates SET document = replace(document, '${from}', '${to}') WHERE invoice_id = '${id}'`
  expect(await tampered(document('23.80', '13.80'), document('13.80', '23.80'), pathOfDifference)).toBe(
    'sha256',
  )
  expect(await verify()).toMatchObject({ verified: true })
})

test('finds data changed in place, although no quantity and no hash changes', async () => {
  const setData = (data: string) =>
    room.clickHouse.command(
      `ALTER TABLE usage_events UPDATE data = {data:String}
       WHERE subject = 'c1-subject' AND type = 'api.request' AND partition = 0 AND offset = 0
       SETTINGS mutations_sync = 1`,
      { data },
    )
  await setData('{"status":"ok","region":"eu"}')
  expect(await pathOfDifference()).toBe('events[1/0:0].payload')
  await setData('{"status":"ok"}')
  expect(await verify()).toMatchObject({ verified: true })
})

test('finds an event that was moved to another customer before the close', async () => {
  const event = { tenant: 'acme', type: 'api.request', time: at('2026-11-05T10:00:00Z') }
  room.log.append({ ...event, subject: 'c1-subject', data: { status: 'ok' } }, 2)
  const moved = room.log.append({ ...event, subject: 'c2-subject', data: { status: 'ok' } }, 3)
  await room.completeUsage(at('2026-12-01T00:10:00Z'), [tenant])
  const where = `partition = 3 AND offset = ${moved.offset}`
  await room.clickHouse.command(
    `INSERT INTO usage_events SELECT * REPLACE ('c1-subject' AS subject) FROM usage_events WHERE ${where}`,
  )
  await room.clickHouse.command(
    `ALTER TABLE usage_events DELETE WHERE ${where} AND subject = 'c2-subject' SETTINGS mutations_sync = 1`,
  )
  const until = '2026-12-01T00:10:00Z'
  const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { until })
  const november = Object(body.invoices).find(
    (invoice: { customer: string; period: { start: string } }) =>
      invoice.customer === 'c1' && invoice.period.start.startsWith('2026-11'),
  )
  const verified = await room.call(tenant, 'POST', `/v1/invoices/${november.id}/verify`)
  expect(Object(verified.body.difference).path).toBe(`events[1/3:${moved.offset}].payload`)
})

test('finds a changed event, even one that changes no quantity', async () => {
  await room.clickHouse.command(
    `ALTER TABLE usage_events UPDATE payload_hash = unhex('00112233445566778899aabbccddeeff')
     WHERE tenant = 'acme' AND subject = 'c1-subject' AND type = 'api.request' AND partition = 0 AND offset = 0
     SETTINGS mutations_sync = 1`,
  )
  expect(await pathOfDifference()).toBe('usage[0].events.hash')
})
