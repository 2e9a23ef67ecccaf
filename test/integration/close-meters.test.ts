import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { company, meters } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('closemeters')
})
afterAll(() => room?.close())

const later = at('2026-11-01T02:00:00Z')
const until = { until: '2026-11-01T01:00:00Z' }

async function foundTenant(name: string) {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(tenant.tenant, meters)
  return tenant
}

const transfer = (tenant: string, subject: string, time: string, gb: string) =>
  room.log.append({ tenant, type: 'transfer.finished', subject, time: at(time), data: { gb } })

describe('a meter', () => {
  test('rounds the quantity of the whole period, which is what the price sees', async () => {
    const tenant = await foundTenant('rounded')
    await room.createMeters(tenant.tenant, [
      {
        key: 'gb',
        eventType: 'transfer.finished',
        aggregation: 'sum',
        valuePath: 'gb',
        rounding: { mode: 'ceil', precision: 0 },
      },
    ])
    await room.apply(tenant, company(1))
    transfer('rounded', 'c1-subject', '2026-10-03T07:00:00Z', '10.2')
    transfer('rounded', 'c1-subject', '2026-10-04T07:00:00Z', '0.3')
    await room.completeUsage(later, [tenant])
    await room.call(tenant, 'POST', '/v1/periods/close', until)
    const { body } = await room.call(tenant, 'GET', '/v1/invoices?customer=c1')
    // 20.00 + (11 − 10) × 0.25 + 1.00
    expect(body.items).toMatchObject([{ total: '21.25' }])
  })

  test.each([
    ['max', '29', '25.75'],
    ['min', '0.5', '20.00'],
    ['latest', '11', '21.25'],
    ['average', '13.5', '21.88'],
  ] as const)(
    'bills the %s of all of a customer’s subjects, %s: %s',
    async (aggregation, quantity, total) => {
      const tenant = await foundTenant(`agg-${aggregation}`)
      const gb = { key: 'gb', eventType: 'transfer.finished', aggregation, valuePath: 'gb' }
      await room.createMeters(tenant.tenant, [gb])
      const { customers = [], ...others } = company(1)
      const subjects = [{ key: 'c1-subject' }, { key: 'c1-other', to: '2026-10-20T00:00:00Z' }]
      await room.apply(tenant, {
        ...others,
        customers: customers.map((customer) => ({ ...customer, subjects })),
      })
      transfer(tenant.tenant, 'c1-subject', '2026-10-03T07:00:00Z', '0.5')
      transfer(tenant.tenant, 'c1-other', '2026-10-04T07:00:00Z', '29')
      transfer(tenant.tenant, 'c1-subject', '2026-10-05T07:00:00Z', '11')
      // No longer the customer's.
      transfer(tenant.tenant, 'c1-other', '2026-10-21T07:00:00Z', '1000')
      await room.completeUsage(later, [tenant])
      await room.call(tenant, 'POST', '/v1/periods/close', until)
      const { body } = await room.call(tenant, 'GET', '/v1/invoices?customer=c1')
      // 20.00, and above 10 GB 0.25 each + 1.00
      expect(body.items).toMatchObject([{ total }])
      const [{ id }] = Object(body.items)
      const { body: invoice } = await room.call(tenant, 'GET', `/v1/invoices/${id}`)
      expect(Object(invoice).lines).toContainEqual(expect.objectContaining({ meter: 'gb', quantity }))
      const { body: verification } = await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)
      expect(verification).toMatchObject({ verified: true })
    },
  )

  test('whose newest version cannot be billed leaves the period open, and says so', async () => {
    const tenant = await foundTenant('unbillable')
    await room.apply(tenant, company(1))
    await room.createMeters(tenant.tenant, [
      { key: 'gb', eventType: 'transfer.finished', aggregation: 'unique-count', valuePath: 'gb' },
    ])
    transfer('unbillable', 'c1-subject', '2026-10-03T07:00:00Z', '10')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body).toMatchObject({ closed: 0, refused: [{ code: 'unbillable_meter' }] })
  })
})
