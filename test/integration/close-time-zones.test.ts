import { formatInstant } from '@tidemark/schemas/instant.ts'
import { startOfDay } from '@tidemark/schemas/local-date.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom
let now = at('2026-10-01T12:00:00Z')

beforeAll(async () => {
  room = await openCloseRoom('closezones', { now: () => now / 1000, nowMicros: () => now })
})
afterAll(() => room?.close())

const meters: Meter[] = [
  { key: 'calls', eventType: 'api.request', aggregation: 'sum', valuePath: 'n', dimensions: {} },
]
const plan: Plan = {
  id: 'p',
  name: 'P',
  currency: 'EUR',
  prices: [
    { id: 'base', model: 'flat', amount: '31.00' },
    { id: 'ahead', model: 'flat', amount: '10.00', timing: 'advance' },
    { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' },
    { id: 'quarter', model: 'flat', amount: '91.00', interval: { unit: 'month', count: 3 } },
  ],
}
const customer = {
  key: 'c',
  name: 'C',
  email: 'c@example.com',
  currency: 'EUR' as const,
  subjects: [{ key: 's' }],
}
const start = formatInstant(startOfDay('2026-09-01', 'Europe/Berlin'))

type Shown = { price: string; amount: string; service: { start: string; end: string } }

/** Closes by the first instant of a month in the zone, and answers the lines of what was opened, each verified. */
async function close(tenant: TestTenant, month: string, zone: string) {
  now = Math.max(now, startOfDay(month, zone) + 3_600_000_000)
  await room.completeUsage(now, [tenant])
  const until = formatInstant(now)
  const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { until })
  expect(body, JSON.stringify(body)).toMatchObject({ refused: [] })
  const lines: Shown[] = []
  for (const { id } of Object(body.invoices)) {
    expect((await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body).toMatchObject({
      verified: true,
    })
    lines.push(...Object((await room.call(tenant, 'GET', `/v1/invoices/${id}`)).body).lines)
  }
  return { ids: Object(body.invoices).map(({ id }: { id: string }) => id), lines }
}

const of = (lines: readonly Shown[], price: string) =>
  lines
    .filter((line) => line.price === price)
    .map(({ service, amount }) => `${service.start} ${service.end} ${amount}`)
const hour = (instant: number) => formatInstant(instant)

test.each(['America/Los_Angeles', 'Asia/Tokyo'])(
  'a change to %s counts from the next period on',
  async (zone) => {
    const name = zone.slice(-5).toLowerCase().replace(/\W/g, '')
    now = at('2026-09-10T12:00:00Z')
    const tenant = await room.installation.createTenant(name)
    await room.createMeters(name, meters)
    await room.apply(tenant, {
      plans: [plan],
      customers: [{ ...customer, timeZone: 'Europe/Berlin' }],
      subscriptions: [{ key: 'sub', customer: 'c', plan: 'p', start }],
    })
    const september = await close(tenant, '2026-10-01', 'Europe/Berlin')
    now = at('2026-10-10T12:00:00Z')
    await room.apply(tenant, { customers: [{ ...customer, timeZone: zone }] })

    const boundary = startOfDay('2026-11-01', 'Europe/Berlin')
    // One event in each of the hours between the zones' midnights, and one on either side.
    const hours = [-20, -1, 0, 1, 8, 12].map((n) => boundary + n * 3_600_000_000 + 1)
    for (const time of hours)
      room.log.append({ tenant: tenant.tenant, type: 'api.request', subject: 's', time, data: { n: 1 } })

    const october = await close(tenant, '2026-11-01', 'Europe/Berlin')
    const first = hour(startOfDay('2026-10-01', 'Europe/Berlin'))
    expect(of(october.lines, 'base')).toEqual([`${first} ${hour(boundary)} 31.00`])
    expect(of(october.lines, 'calls')).toEqual([`${first} ${hour(boundary)} 2.00`])
    const december = hour(startOfDay('2026-12-01', zone))
    expect(of(october.lines, 'ahead')).toEqual([`${hour(boundary)} ${december} 10.00`])

    const november = await close(tenant, '2026-12-01', zone)
    expect(of(november.lines, 'base')).toEqual([`${hour(boundary)} ${december} 31.00`])
    expect(of(november.lines, 'calls')).toEqual([`${hour(boundary)} ${december} 4.00`])
    const january = hour(startOfDay('2027-01-01', zone))
    expect(of(november.lines, 'ahead')).toEqual([`${december} ${january} 10.00`])

    expect(of([...september.lines, ...october.lines], 'quarter')).toEqual([])
    expect(of(november.lines, 'quarter').map((line) => line.split(' ').at(-1))).toEqual(['91.00'])
    for (const id of [...september.ids, ...october.ids])
      expect((await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body).toMatchObject({
        verified: true,
      })
  },
)

test('the first period ends by the zone that it began with, although nothing is billed yet', async () => {
  now = at('2026-11-10T12:00:00Z')
  const tenant = await room.installation.createTenant('first')
  await room.apply(tenant, {
    plans: [{ ...plan, prices: [{ id: 'base', model: 'flat', amount: '31.00' }] }],
    customers: [{ ...customer, timeZone: 'Asia/Tokyo' }],
    subscriptions: [
      { key: 'sub', customer: 'c', plan: 'p', start: hour(startOfDay('2026-11-01', 'Asia/Tokyo')) },
    ],
  })
  await room.apply(tenant, { customers: [{ ...customer, timeZone: 'UTC' }] })
  const november = await close(tenant, '2026-12-01', 'UTC')
  const [first, end] = ['2026-11-01', '2026-12-01'].map((date) => hour(startOfDay(date, 'Asia/Tokyo')))
  expect(of(november.lines, 'base')).toEqual([`${first} ${end} 31.00`])
  const december = await close(tenant, '2027-01-01', 'UTC')
  expect(of(december.lines, 'base')).toEqual([`${end} ${hour(at('2027-01-01T00:00:00Z'))} 31.00`])
})
