import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { company, freePlan, meters, plan } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('catalogue')
})
afterAll(() => room?.close())

async function foundTenant(name: string): Promise<TestTenant> {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(name, meters)
  return tenant
}

const post = (tenant: TestTenant, body: unknown, path = '/v1/catalogue') =>
  room.call(tenant, 'POST', path, body)
const faultsOf = async (tenant: TestTenant, body: unknown) => {
  const answer = await post(tenant, body)
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_catalogue' } })
  return Object(answer.body.errors).map(({ path }: { path: string }) => path)
}

test('is applied whole, once: the same again changes nothing', async () => {
  const tenant = await foundTenant('whole')
  const dry = await post(tenant, { ...company(3), meters }, '/v1/catalogue?dryRun=true')
  expect(dry.body).toMatchObject({ dryRun: true, unchanged: 0 })
  expect((await room.call(tenant, 'GET', '/v1/plans')).body.items).toEqual([])

  const first = await post(tenant, company(3))
  expect(first.body).toEqual({ ...dry.body, dryRun: false })
  expect(first.body.changes).toHaveLength(8)
  expect((await post(tenant, company(3))).body).toEqual({ dryRun: false, changes: [], unchanged: 8 })
  const { rows } = await room.pool.query("SELECT 1 FROM billing.audit_log WHERE tenant = 'whole'")
  expect(rows).toHaveLength(8)
})

test('a changed plan is a new version; subscriptions stay on theirs', async () => {
  const tenant = await foundTenant('versions')
  await post(tenant, company(1))
  const dearer = { ...plan, prices: [{ id: 'base', model: 'flat', amount: '30.00' }] }
  const answer = await post(tenant, dearer, '/v1/plans')
  expect(answer.body.changes).toMatchObject([
    { kind: 'plan', key: 'standard', change: 'new version', version: 2 },
  ])
  expect(Object(answer.body.changes)[0].difference[0]).toEqual({
    path: 'prices[base].amount',
    before: '20.00',
    after: '30.00',
  })
  const [customer] = company(1).customers ?? []
  await post(tenant, { ...customer, key: 'new', subjects: [{ key: 'new-subject' }] }, '/v1/customers')
  const start = '2026-10-01T00:00:00Z'
  await post(tenant, { key: 'new-sub', customer: 'new', plan: 'standard', start }, '/v1/subscriptions')
  expect((await room.call(tenant, 'GET', '/v1/subscriptions')).body.items).toMatchObject([
    { key: 'c1-sub', planVersion: 1 },
    { key: 'new-sub', planVersion: 2, anchorDay: 1 },
  ])
  await expect(
    room.pool.query("UPDATE billing.plan_versions SET definition = '{}' WHERE tenant = 'versions'"),
  ).rejects.toMatchObject({ code: 'postgres_42501' })
})

test('every fault is named by its path, and nothing is applied', async () => {
  const tenant = await foundTenant('faults')
  const [customer] = company(1).customers ?? []
  const faulty = {
    plans: [
      {
        ...plan,
        prices: [
          { id: 'a', model: 'flat', amount: '1.001' },
          { id: 'a', model: 'per-unit', meter: 'nothing', unitPrice: '1' },
          {
            id: 'c',
            model: 'graduated',
            meter: 'gb',
            tiers: [
              { upTo: '10', unitPrice: '1' },
              { upTo: '10', unitPrice: '1' },
              { upTo: '20', unitPrice: '1' },
            ],
          },
          { id: 'd', model: 'per-unit', meter: 'gb', unitPrice: '1' },
        ],
      },
      freePlan,
    ],
    customers: [
      { ...customer, timeZone: 'Mars/Olympus', currency: 'USD' },
      { ...customer, key: 'c2', subjects: [{ key: 'c1-subject', from: 'soon' }] },
    ],
    subscriptions: [
      { key: 's1', customer: 'c1', plan: 'free', start: '2026-10-01T00:00:00Z' },
      { key: 's2', customer: 'nobody', plan: 'none', start: '2026-10-01' },
      { key: 's3', customer: 'c2', plan: 'free', start: '2026-10-01T00:00:00Z' },
      { key: 's4', customer: 'c2', plan: 'free', start: '2026-11-01T00:00:00Z' },
    ],
  }
  expect(await faultsOf(tenant, faulty)).toEqual([
    'plans[0].prices[1].id',
    'plans[0].prices[0].amount',
    'plans[0].prices[1].meter',
    'plans[0].prices[2].tiers[1].upTo',
    'plans[0].prices[2].tiers[2].upTo',
    'plans[0].prices[3].meter',
    'customers[0].timeZone',
    'customers[1].subjects[0].from',
    'customers[1].subjects[0].key',
    'subscriptions[0].plan',
    'subscriptions[1].customer',
    'subscriptions[1].plan',
    'subscriptions[1].start',
    'subscriptions[3].plan',
  ])
  expect(await faultsOf(tenant, { meters })).toEqual(['meters'])
  for (const noun of ['plans', 'customers', 'subscriptions'])
    expect((await room.call(tenant, 'GET', `/v1/${noun}`)).body.items).toEqual([])
})

test('a subject is never two customers’ at once, whoever comes second', async () => {
  const tenant = await foundTenant('subjects')
  await post(tenant, company(1))
  const [customer] = company(1).customers ?? []
  const second = { ...customer, key: 'second' }
  const from = '2026-12-01T00:00:00Z'
  expect(await faultsOf(tenant, { customers: [second] })).toEqual(['customers[0].subjects[0].key'])
  const handedOver = [
    { ...customer, subjects: [{ key: 'c1-subject', to: from }] },
    { ...second, subjects: [{ key: 'c1-subject', from }] },
  ]
  expect((await post(tenant, { customers: handedOver })).status).toBe(200)
  expect((await room.call(tenant, 'GET', '/v1/customers')).body.items).toMatchObject([
    { key: 'c1', subjects: [{ key: 'c1-subject', to: '2026-12-01T00:00:00.000000Z' }] },
    { key: 'second', subjects: [{ key: 'c1-subject', from: '2026-12-01T00:00:00.000000Z' }] },
  ])
  await expect(
    room.pool.query(
      `INSERT INTO billing.subjects (tenant, subject, customer, during)
       VALUES ('subjects', 'c1-subject', 'c1', tstzrange('2027-01-01', NULL))`,
    ),
  ).rejects.toMatchObject({ code: 'exclusion_violation', constraint: 'subjects_never_overlap' })
})

test('two that apply at once take turns', async () => {
  const tenant = await foundTenant('turns')
  const answers = await Promise.all([1, 2, 3, 4].map(() => post(tenant, company(20))))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(answers.map(({ body }) => Object(body.changes).length).sort()).toEqual([0, 0, 0, 42])
})

test('what is billed cannot be changed behind its invoice', async () => {
  const tenant = await foundTenant('billed')
  await post(tenant, company(1))
  await room.completeUsage(at('2026-11-01T01:00:00Z'), [tenant])
  await room.call(tenant, 'POST', '/v1/periods/close', { until: '2026-11-01T00:00:00Z' })
  const [customer] = company(1).customers ?? []
  const moved = { ...customer, currency: 'USD', subjects: [] }
  expect(await faultsOf(tenant, { customers: [moved] })).toEqual([
    'customers[0].currency',
    'customers[0].subjects',
  ])
  const from = '2026-11-01T00:00:00Z'
  const grown = { ...customer, subjects: [{ key: 'c1-subject' }, { key: 'another', from }] }
  expect((await post(tenant, { customers: [grown] })).status).toBe(200)
})

test('lists go page by page, and belong to one tenant', async () => {
  const [tenant, other] = [await foundTenant('pages'), await foundTenant('strangers')]
  await post(tenant, company(5))
  const keys: string[] = []
  let cursor: unknown = ''
  for (let page = 0; page < 3; page++) {
    const { body } = await room.call(tenant, 'GET', `/v1/customers?limit=2&cursor=${cursor}`)
    keys.push(...Object(body.items).map(({ key }: { key: string }) => key))
    cursor = body.nextCursor
  }
  expect(keys).toEqual(['c1', 'c2', 'c3', 'c4', 'c5'])
  expect(cursor).toBeNull()
  expect((await room.call(other, 'GET', '/v1/customers')).body.items).toEqual([])
})

test('a price rests on what the whole of a customer’s usage follows from, which unique counts are not', async () => {
  const tenant = await foundTenant('aggregations')
  await room.createMeters('aggregations', [
    { key: 'users', eventType: 'api.request', aggregation: 'unique-count', valuePath: 'user' },
  ])
  const answer = await post(
    tenant,
    {
      ...plan,
      prices: [{ id: 'users', model: 'per-unit', meter: 'users', unitPrice: '1' }],
    },
    '/v1/plans',
  )
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'plans[0].prices[0].meter' }] } })
  expect(JSON.stringify(answer.body)).toContain('whose aggregation is unique-count')
})
