import { expect, test } from 'vitest'
import { foundCompany } from './company.ts'
import { expect as expectation } from './expectation.ts'
import { planTraffic } from './traffic.ts'

const now = Date.UTC(2026, 10, 21, 12) * 1000

test('one seed plays one demonstration', () => {
  const sizes = { httpEvents: 2000, kafkaEvents: 200, lateEvents: 20 }
  const plan = () => {
    const company = foundCompany(now)
    return expectation(company, planTraffic(company, sizes, now, 5))
  }
  expect(plan()).toEqual(plan())
})

test('every event sent is accepted, a duplicate or rejected', () => {
  const company = foundCompany(now)
  const traffic = planTraffic(company, { httpEvents: 4000, kafkaEvents: 400, lateEvents: 40 }, now, 6)
  const { events, invoices } = expectation(company, traffic)
  expect(events.sent).toBe(events.accepted + events.duplicate + events.rejected)
  expect(events.duplicate).toBeGreaterThan(0)
  expect(events.rejected).toBeGreaterThan(0)
  expect(invoices).toHaveLength(200)
})

test('the generator’s own arithmetic, by hand', () => {
  const company = foundCompany(now).slice(0, 1)
  const [customer] = company[0]?.customers ?? []
  if (!customer) throw new Error('no customer')
  const usage = { customer: customer.key, meter: 'api_calls', thousandths: 100_000n, closed: true }
  const event = { specversion: '1.0', id: '1', source: 's', type: 't', subject: 'x', data: {} }
  const { invoices } = expectation(company, {
    http: [{ tenant: 'lumen', event, usage }],
    kafka: [],
    late: [],
  })
  // 29.00 and 100 calls at 0.0175: 1.75.
  expect(invoices[0]?.totalMicros).toBe(30_750_000n)
})
