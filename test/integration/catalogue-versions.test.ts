import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CatalogueRoom, openCatalogueRoom } from './catalogue-room.ts'

let room: CatalogueRoom

beforeAll(async () => {
  room = await openCatalogueRoom('versions')
})
afterAll(() => room?.close())

const meters: Meter[] = [
  { key: 'calls', eventType: 'api.request', aggregation: 'count', dimensions: { region: 'region' } },
  { key: 'gb', eventType: 'transfer.finished', aggregation: 'sum', valuePath: 'gb' },
]
const base: Price = { id: 'base', model: 'flat', amount: '20.00' }
const plan: Plan = { id: 'pro', name: 'Pro', currency: 'EUR', prices: [base] }
const dearer: Plan = { ...plan, prices: [{ ...base, amount: '30.00' }] }

const call = (tenant: TestTenant, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) =>
  room.call(tenant, { method, path, body })

async function found(name: string): Promise<TestTenant> {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(name, meters)
  return tenant
}

test.each(['plans', 'add-ons'])(
  '%s: drafts change, what is published never does, deprecated is the end',
  async (noun) => {
    const tenant = await found(`states-${noun}`)
    const at = `/v1/${noun}/pro`
    const changes = async (body: unknown) => (await call(tenant, 'PUT', at, body)).body.changes
    const state = async (version: number) =>
      (await call(tenant, 'GET', `${at}/versions/${version}`)).body.state

    expect(await changes({ ...plan, state: 'draft' })).toMatchObject([{ change: 'new draft', version: 1 }])
    expect(await changes({ ...dearer, state: 'draft' })).toMatchObject([
      { change: 'draft changed', version: 1, difference: [{ path: 'prices[base].amount' }] },
    ])
    expect(await call(tenant, 'POST', `${at}/versions/1/publish`)).toMatchObject({
      status: 200,
      etag: '"3"',
      body: { version: 1, state: 'published', prices: dearer.prices },
    })
    expect((await call(tenant, 'POST', `${at}/versions/1/publish`)).etag).toBe('"3"')
    expect(await changes(dearer)).toEqual([])
    expect(await changes(plan)).toMatchObject([{ change: 'new version', version: 2 }])
    expect(await changes({ ...plan, state: 'deprecated' })).toMatchObject([
      { change: 'deprecated', version: 2 },
    ])
    expect(await changes(plan)).toEqual([])
    expect(await call(tenant, 'PUT', at, { ...plan, state: 'published' })).toMatchObject({ status: 422 })
    expect(await call(tenant, 'POST', `${at}/versions/2/publish`)).toMatchObject({
      status: 409,
      body: { code: 'illegal_state' },
    })
    expect([await state(1), await state(2)]).toEqual(['published', 'deprecated'])
    expect((await call(tenant, 'GET', `${at}/versions`)).body.items).toMatchObject([
      { version: 2 },
      { version: 1 },
    ])
    expect((await call(tenant, 'GET', `${at}/versions?limit=1&cursor=2`)).body).toMatchObject({
      items: [{ version: 1 }],
      nextCursor: null,
    })
    expect((await call(tenant, 'GET', `${at}/versions/9`)).body.code).toBe('version_unknown')
    expect((await call(tenant, 'GET', `/v1/${noun}/none`)).status).toBe(404)
  },
)

test('the database refuses to change what was published', async () => {
  const tenant = await found('kept')
  await call(tenant, 'POST', '/v1/plans', plan)
  const refused = { code: 'postgres_42501' }
  const change = (set: string) =>
    room.pool.query(`UPDATE billing.plan_versions SET ${set} WHERE tenant = 'kept'`)
  await expect(change("definition = '{}'")).rejects.toMatchObject(refused)
  await expect(change("sha256 = repeat('0', 64)")).rejects.toMatchObject(refused)
  await expect(change("state = 'draft'")).rejects.toMatchObject(refused)
  await expect(room.pool.query('DELETE FROM billing.plan_versions')).rejects.toMatchObject(refused)
  await change("state = 'deprecated'")
  await expect(change("state = 'published'")).rejects.toMatchObject(refused)
})

test('a deprecated plan and a draft take no new subscriptions; those that exist go on', async () => {
  const tenant = await found('offers')
  const customer = {
    key: 'c',
    name: 'C',
    email: 'c@example.com',
    currency: 'EUR',
    timeZone: 'UTC',
    subjects: [],
  }
  const subscription = { key: 's', customer: 'c', plan: 'pro', start: '2026-11-01T00:00:00Z' }
  const first = { plans: [plan], customers: [customer], subscriptions: [subscription] }
  expect((await call(tenant, 'POST', '/v1/catalogue', first)).status).toBe(200)
  await call(tenant, 'POST', '/v1/plans/pro/versions/1/deprecate')
  expect((await call(tenant, 'POST', '/v1/catalogue', first)).body).toMatchObject({ unchanged: 3 })
  const reason = async (plans: unknown[], id: string) => {
    const subscriptions = [{ ...subscription, key: 't', plan: id }]
    const { body } = await call(tenant, 'POST', '/v1/catalogue?dryRun=true', { plans, subscriptions })
    return Object(body.errors)[0]?.reason
  }
  expect(await reason([], 'pro')).toContain('deprecated')
  expect(await reason([plan], 'pro')).toContain('deprecated')
  expect(await reason([dearer], 'pro')).toBeUndefined()
  expect(await reason([{ ...dearer, state: 'draft' }], 'pro')).toContain('deprecated')
  expect(await reason([{ ...plan, id: 'new', state: 'draft' }], 'new')).toContain('only a draft')
})

test('what could not be billed is found when a version is published', async () => {
  const tenant = await found('faults')
  const tier = (upTo: string | null) => ({ upTo, unitPrice: '1' })
  const cases: [Record<string, unknown>, string][] = [
    [
      { prices: [{ id: 'a', model: 'volume', meter: 'gb', tiers: [tier('5'), tier('5'), tier(null)] }] },
      'prices[0].tiers[1].upTo',
    ],
    [
      {
        prices: [{ id: 'a', model: 'graduated-percentage', meter: 'gb', tiers: [{ upTo: '5', rate: '1' }] }],
      },
      'prices[0].tiers[0].upTo',
    ],
    [
      { prices: [{ id: 'a', model: 'blocks', meter: 'gb', tiers: [{ size: '1', max: '2', price: '1' }] }] },
      'prices[0].tiers[0].max',
    ],
    [
      { prices: [{ id: 'a', model: 'capacity', tiers: [{ price: '1', limits: { gb: '5' } }] }] },
      'prices[0].tiers[0].limits.gb',
    ],
    [{ prices: [{ id: 'a', model: 'per-unit', meter: 'none', unitPrice: '1' }] }, 'prices[0].meter'],
    [
      { prices: [{ id: 'a', model: 'per-unit', meter: 'gb', unitPrice: '1', filter: { region: ['eu'] } }] },
      'prices[0].filter',
    ],
    [
      {
        prices: [
          {
            id: 'a',
            model: 'per-unit',
            meter: 'calls',
            unitPrice: '1',
            filters: [{ match: { zone: 'a' }, unitPrice: '2' }],
          },
        ],
      },
      'prices[0].filters',
    ],
    [{ prices: [{ id: 'a', model: 'percentage', rate: '1', fixedFee: '0.1' }] }, 'prices[0].meter'],
    [
      { prices: [{ id: 'a', model: 'per-unit', meter: 'gb', unitPrice: '1', timing: 'advance' }] },
      'prices[0].timing',
    ],
    [{ prices: [{ ...base, interval: { unit: 'week', count: 1 } }] }, 'prices[0].interval'],
    [
      {
        prices: [
          base,
          { id: 'a', model: 'per-unit', meter: 'gb', unitPrice: '1' },
          { ...base, id: 'usd', currency: 'USD' },
        ],
      },
      'prices',
    ],
    [{ prices: [base], minimum: { amount: '10.001' } }, 'minimum.amount'],
    [{ prices: [base], minimum: { amount: '10', term: { unit: 'week', count: 1 } } }, 'minimum.term'],
    [{ prices: [base], minimum: { amount: '10' }, maximum: { amount: '5' } }, 'maximum.amount'],
    [{ prices: [base], state: 'deprecated' }, 'state'],
  ]
  for (const [fields, path] of cases) {
    const { status, body } = await call(tenant, 'POST', '/v1/plans', { ...plan, ...fields })
    expect({ status, paths: Object(body.errors).map((fault: { path: string }) => fault.path) }, path).toEqual(
      {
        status: 422,
        paths: [`plans[0].${path}`],
      },
    )
  }
  expect((await call(tenant, 'GET', '/v1/plans')).body.items).toEqual([])
})

test('prices of one meter may tell events apart by filters, and be in several currencies', async () => {
  const tenant = await found('filters')
  const calls = (id: string, region: string[], currency: string) => ({
    id,
    model: 'per-unit',
    meter: 'calls',
    unitPrice: '0.01',
    filter: { region },
    currency,
  })
  const sound = {
    ...plan,
    prices: [calls('eu', ['eu'], 'EUR'), calls('us', ['us', 'ca'], 'EUR'), calls('all', ['eu'], 'USD')],
  }
  expect((await call(tenant, 'POST', '/v1/plans', sound)).status).toBe(200)
  const twice = { ...plan, prices: [calls('eu', ['eu', 'us'], 'EUR'), calls('us', ['us'], 'EUR')] }
  const { body } = await call(tenant, 'POST', '/v1/plans', twice)
  expect(body.errors).toMatchObject([{ path: 'plans[0].prices[1].meter' }])
})
