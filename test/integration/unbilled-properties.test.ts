import { add, type Decimal, decimal, formatDecimal, zero } from '@tidemark/schemas/decimal.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type RandomCompany, randomCompany } from './random-company.ts'
import { openSubscriptionRoom, type SubscriptionRoom } from './subscription-room.ts'
import { at } from './usage-log.ts'

let room: SubscriptionRoom

const now = '2026-12-15T00:00:00Z'

beforeAll(async () => {
  room = await openSubscriptionRoom('unbilled', now)
})
afterAll(() => room?.close())

const meters = [
  { key: 'calls', eventType: 'api.request', aggregation: 'count', dimensions: { region: 'region' } },
  { key: 'gb', eventType: 'transfer', aggregation: 'sum', valuePath: 'gb', dimensions: { region: 'region' } },
] as const

type Total = { events: number; quantity: string }
type Account = { meter: string; metered: Total; billed: Total; unbilled: Total }

/** The quantity on all invoices of a tenant, by meter. */
async function invoiced(tenant: TestTenant): Promise<Map<string, Decimal>> {
  const { body } = await room.send(tenant, 'GET', '/v1/invoices?limit=1000')
  const sums = new Map<string, Decimal>()
  for (const { id } of Object(body).items) {
    const invoice = await room.send(tenant, 'GET', `/v1/invoices/${id}`)
    for (const { meter, quantity } of Object(invoice.body).lines)
      if (meter) sums.set(meter, add(sums.get(meter) ?? zero, decimal(quantity)))
  }
  return sums
}

/** Makes a company, what it does with its subscriptions, and its usage; what is refused is no part of it. */
async function live(tenant: TestTenant, company: RandomCompany): Promise<void> {
  const made = await room.send(tenant, 'POST', '/v1/catalogue', company.catalogue)
  expect([made.status, made.body]).toEqual([200, made.body])
  for (const subscription of company.subscriptions) {
    const answer = await room.send(tenant, 'POST', '/v1/subscriptions', subscription)
    expect([201, 409]).toContain(answer.status)
  }
  for (const { key, operation, body } of company.changes) {
    const answer = await room.send(tenant, 'POST', `/v1/subscriptions/${key}/${operation}`, body)
    expect([200, 404, 409, 422]).toContain(answer.status)
  }
  for (const { type, subject, time, region, gb } of company.events)
    room.log.append({ tenant: tenant.tenant, type, subject, time: at(time), data: { region, gb } })
  await room.completeUsage(at(now), [tenant])
}

test('billed and unbilled together are all that was metered, over random catalogues', async () => {
  let count = 0
  let billedSomething = 0
  let unbilledSomething = 0
  await fc.assert(
    fc.asyncProperty(randomCompany, async (company) => {
      count += 1
      const tenant = await room.installation.createTenant(`random${count}`)
      await room.createMeters(tenant.tenant, meters)
      await live(tenant, company)
      const close = await room.send(tenant, 'POST', '/v1/periods/close', { graceSeconds: 0 })
      expect(close).toMatchObject({ status: 200, body: { refused: [] } })
      const range = 'from=2026-09-15T00:00:00Z&to=2026-11-15T00:00:00Z'
      const { body } = await room.send(tenant, 'GET', `/v1/usage/unbilled?${range}`)
      const accounts: Account[] = Object(body).meters
      const billed = await invoiced(tenant)
      for (const { meter, metered, billed: expected, unbilled } of accounts) {
        const type = meter === 'calls' ? 'api.request' : 'transfer'
        const own = company.events.filter((event) => event.type === type)
        const sum = own.reduce((total, { gb }) => add(total, decimal(meter === 'calls' ? '1' : gb)), zero)
        expect(metered).toEqual({ events: own.length, quantity: formatDecimal(sum) })
        expect(expected.events + unbilled.events).toBe(own.length)
        const onInvoices = formatDecimal(billed.get(meter) ?? zero)
        expect({ meter, quantity: onInvoices }).toEqual({ meter, quantity: expected.quantity })
        expect(formatDecimal(add(decimal(onInvoices), decimal(unbilled.quantity)))).toBe(metered.quantity)
        billedSomething += expected.events
        unbilledSomething += unbilled.events
      }
    }),
    { numRuns: 8, seed: 20_261_121, endOnFailure: true },
  )
  expect(billedSomething).toBeGreaterThan(50)
  expect(unbilledSomething).toBeGreaterThan(50)
})
