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

  test('whose newest version cannot be billed leaves the period open, and says so', async () => {
    const tenant = await foundTenant('unbillable')
    await room.apply(tenant, company(1))
    await room.createMeters(tenant.tenant, [
      { key: 'gb', eventType: 'transfer.finished', aggregation: 'max', valuePath: 'gb' },
    ])
    transfer('unbillable', 'c1-subject', '2026-10-03T07:00:00Z', '10')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body).toMatchObject({ closed: 0, refused: [{ code: 'unbillable_meter' }] })
  })
})
