import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { openSubscriptionRoom, type SubscriptionRoom } from './subscription-room.ts'

let room: SubscriptionRoom

beforeAll(async () => {
  room = await openSubscriptionRoom('subscr', '2026-11-10T09:00:00Z')
})
afterAll(() => room?.close())

const meters = [
  { key: 'calls', eventType: 'api.request', aggregation: 'count', dimensions: { region: 'region' } },
] as const
const filtered = (region: string) => ({
  id: `calls-${region}`,
  name: region,
  currency: 'EUR',
  prices: [
    {
      id: `calls-${region}`,
      model: 'per-unit',
      meter: 'calls',
      unitPrice: '1',
      filter: { region: [region] },
    },
  ],
})
const catalogue = {
  plans: [
    {
      id: 'seats',
      name: 'Seats',
      currency: 'EUR',
      prices: [{ id: 'seat', model: 'per-unit', unitPrice: '9' }],
    },
    { id: 'more', name: 'More', currency: 'EUR', prices: [{ id: 'fee', model: 'flat', amount: '50.00' }] },
    {
      id: 'metered',
      name: 'Metered',
      currency: 'EUR',
      trialDays: 14,
      prices: [{ id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' }],
    },
    {
      id: 'yearly',
      name: 'Yearly',
      currency: 'EUR',
      interval: { unit: 'year', count: 1 },
      prices: [{ id: 'fee', model: 'flat', amount: '500.00' }],
    },
    filtered('eu'),
    filtered('us'),
    {
      id: 'dollars',
      name: 'Dollars',
      currency: 'USD',
      prices: [{ id: 'fee', model: 'flat', amount: '1.00' }],
    },
  ],
  addOns: [
    {
      id: 'support',
      name: 'Support',
      currency: 'EUR',
      prices: [{ id: 'support', model: 'flat', amount: '5.00' }],
    },
  ],
  coupons: [
    { id: 'tenth', name: 'A tenth', type: 'percent', value: '10', duration: 'forever', maxRedemptions: 1 },
    { id: 'first', name: 'First', type: 'percent', value: '5', duration: 'once' },
  ],
  customers: ['c1', 'c2', 'c3'].map((key) => ({
    key,
    name: key,
    email: `${key}@example.com`,
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    subjects: [{ key: `${key}-subject` }],
  })),
}

async function foundTenant(name: string): Promise<TestTenant> {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(name, meters)
  const answer = await room.send(tenant, 'POST', '/v1/catalogue', catalogue)
  expect(answer).toMatchObject({ status: 200 })
  return tenant
}

const started = { key: 's1', customer: 'c1', plan: 'seats', start: '2026-11-01T00:00:00+01:00' }
const make = (tenant: TestTenant, more: Record<string, unknown> = {}, headers = {}) =>
  room.send(tenant, 'POST', '/v1/subscriptions', { ...started, ...more }, headers)
const post = (tenant: TestTenant, path: string, body?: unknown, headers = {}) =>
  room.send(tenant, 'POST', `/v1/subscriptions/${path}`, body, headers)

test('a request under its key is done once, whoever sends it again; another one under the key is refused', async () => {
  room.setTime('2026-11-10T09:00:00Z')
  const tenant = await foundTenant('keys')
  const key = { 'idempotency-key': 'a1' }
  const both = await Promise.all([make(tenant, {}, key), make(tenant, {}, key)])
  expect(both.map(({ status }) => status)).toEqual([201, 201])
  expect(both[0]?.body).toEqual(both[1]?.body)
  expect(both.map(({ headers }) => headers.get('idempotent-replayed')).sort()).toEqual([null, 'true'])
  expect(both[0]?.body).toMatchObject({
    state: 'active',
    nextBillingDate: '2026-12-01',
    anchorDay: 1,
    quantity: '1',
    revision: 1,
  })
  expect(await make(tenant, { quantity: '2' }, key)).toMatchObject({
    status: 409,
    body: { code: 'idempotency_key_reused' },
  })
  expect(await make(tenant)).toMatchObject({ status: 409, body: { code: 'subscription_exists' } })

  const seats = { quantity: '5' }
  const change = { 'idempotency-key': 'a2', 'if-match': '"1"' }
  const [first, second] = [
    await post(tenant, 's1/change', seats, change),
    await post(tenant, 's1/change', seats, change),
  ]
  expect([first.body, second.body]).toEqual([second.body, first.body])
  expect(first).toMatchObject({ status: 200, body: { revision: 2, quantity: '5' } })
  const history = await room.send(tenant, 'GET', '/v1/subscriptions/s1/history')
  expect(history.body.items).toMatchObject([
    { action: 'subscription.created', actor: tenant.keyId },
    { action: 'subscription.changed', before: { quantity: '1' }, after: { quantity: '5', revision: 2 } },
  ])
})

test('of two writers at once one wins, and the other is told', async () => {
  const tenant = await foundTenant('writers')
  await make(tenant)
  const seats = ['2', '3', '4', '5'].map((quantity) =>
    post(tenant, 's1/change', { quantity }, { 'if-match': '"1"' }),
  )
  const answers = await Promise.all(seats)
  const statuses = answers.map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 409, 409, 409])
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'revision_conflict' })
  const stored = await room.send(tenant, 'GET', '/v1/subscriptions/s1')
  expect(stored.headers.get('etag')).toBe('"2"')
  expect(stored.body.quantity).toBe(answers.find(({ status }) => status === 200)?.body.quantity)
})

test('each change is told on billing.events in its order, and what changes nothing is not', async () => {
  room.setTime('2026-11-10T09:00:00Z')
  const tenant = await foundTenant('told')
  await make(tenant)
  await post(tenant, 's1/pause')
  await post(tenant, 's1/pause', { effective: '2026-11-10T09:00:00Z' })
  room.setTime('2026-11-12T09:00:00Z')
  await post(tenant, 's1/resume')
  await post(tenant, 's1/change', { quantity: '1' })
  await post(tenant, 's1/cancel', { effective: 'period_end' })
  const { rows } = await room.pool.query<{ event: { data: Record<string, unknown> } }>(
    "SELECT event FROM billing.outbox WHERE tenant = 'told' ORDER BY id",
  )
  expect(rows.map(({ event }) => event.data)).toMatchObject([
    { change: 'created', revision: 1, state: 'active' },
    { change: 'paused', revision: 2, state: 'paused' },
    { change: 'resumed', revision: 3, state: 'active' },
    { change: 'canceled', revision: 4, state: 'active', end: '2026-11-30T23:00:00.000000Z' },
  ])
  const stored = await room.send(tenant, 'GET', '/v1/subscriptions/s1')
  expect(stored.body.phases).toMatchObject([
    { status: 'active', to: '2026-11-10T09:00:00.000000Z' },
    { status: 'paused', to: '2026-11-12T09:00:00.000000Z' },
    { status: 'active', to: '2026-11-30T23:00:00.000000Z' },
  ])
})

test('what is not legal, not known or not sound is refused, and nothing changes', async () => {
  room.setTime('2026-11-10T09:00:00Z')
  const tenant = await foundTenant('refused')
  expect(await make(tenant, { start: '2026-11-01', plan: 'none', customer: 'nobody' })).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'customer' }, { field: 'plan' }, { field: 'start' }] },
  })
  await make(tenant, { coupons: ['tenth', 'first'] })
  const refusals = [
    ['s1/resume', {}, 409, 'illegal_transition'],
    ['s1/extend-trial', { until: '2026-12-24T00:00:00Z' }, 409, 'illegal_transition'],
    ['s1/change', { plan: 'yearly' }, 409, 'interval_differs'],
    ['s1/change', { plan: 'none' }, 422, 'invalid_request'],
    ['s1/change', { plan: 'dollars' }, 422, 'invalid_request'],
    ['s1/change', {}, 422, 'invalid_request'],
    ['s1/change', { addOns: [{ id: 'support' }, { id: 'support' }] }, 422, 'invalid_request'],
    ['s1/cancel', { effective: 'soon' }, 422, 'invalid_request'],
    ['s1/cancel', { effective: '2026-10-01T00:00:00Z' }, 422, 'invalid_request'],
    ['s1/coupons', { coupon: 'tenth' }, 409, 'coupon_given'],
    ['s9/pause', {}, 404, 'subscription_unknown'],
  ] as const
  for (const [path, body, status, code] of refusals)
    expect([path, body, await post(tenant, path, body)]).toMatchObject([
      path,
      body,
      { status, body: { code } },
    ])
  expect(await make(tenant, { key: 's2', customer: 'c2', coupons: ['tenth'] })).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'coupons[0]' }] },
  })
  const stored = await room.send(tenant, 'GET', '/v1/subscriptions/s1')
  expect(stored.body).toMatchObject({
    revision: 1,
    coupons: [{ coupon: 'tenth', to: null }, { coupon: 'first' }],
  })
  expect((await room.send(tenant, 'GET', '/v1/subscriptions')).body.items).toHaveLength(1)
})

test('each event is billed at most once per meter, over the whole timelines of a customer’s subscriptions', async () => {
  room.setTime('2026-11-10T09:00:00Z')
  const tenant = await foundTenant('once')
  const start = '2026-11-01T00:00:00Z'
  expect((await make(tenant, { key: 'eu', plan: 'calls-eu', start })).status).toBe(201)
  expect((await make(tenant, { key: 'us', plan: 'calls-us', start })).status).toBe(201)
  const all = { key: 'all', plan: 'metered', start }
  expect(await make(tenant, all)).toMatchObject({ status: 409, body: { code: 'billed_twice' } })
  // Nobody else's, and not before the other one has ended.
  expect((await make(tenant, { ...all, customer: 'c2' })).status).toBe(201)
  await post(tenant, 'eu/cancel', { effective: 'period_end' })
  await post(tenant, 'us/cancel', { effective: 'period_end' })
  expect((await make(tenant, { ...all, key: 'later', start: '2026-11-30T00:00:00Z' })).status).toBe(409)
  expect((await make(tenant, { ...all, key: 'later', start: '2026-12-01T00:00:00Z' })).status).toBe(201)
  // What would bill twice only later is refused now.
  expect(await post(tenant, 'eu/cancel', { effective: 'never' })).toMatchObject({ status: 409 })
  expect(await make(tenant, { key: 'seats', plan: 'seats', start })).toMatchObject({ status: 201 })
  const change = { plan: 'metered', effective: '2027-02-01T00:00:00Z' }
  expect(await post(tenant, 'seats/change', change)).toMatchObject({
    status: 409,
    body: { code: 'billed_twice' },
  })
})

test('subscriptions whose subjects are their own bill one meter side by side', async () => {
  const tenant = await foundTenant('subjects')
  const [c3] = catalogue.customers.filter(({ key }) => key === 'c3')
  const subjects = (subscription?: string) => [
    { key: 'first', subscription: 'one' },
    { key: 'second', ...(subscription === undefined ? {} : { subscription }) },
  ]
  const two = (named: ReturnType<typeof subjects>) => ({
    customers: [{ ...c3, subjects: named }],
    subscriptions: ['one', 'two'].map((key) => ({
      key,
      customer: 'c3',
      plan: 'metered',
      start: '2026-11-01T00:00:00Z',
    })),
  })
  const apply = (body: unknown) => room.send(tenant, 'POST', '/v1/catalogue', body)
  expect(await apply(two(subjects()))).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'subscriptions[1].plan' }] },
  })
  expect(await apply(two(subjects('two')))).toMatchObject({ status: 200 })
  expect(await apply({ customers: [{ ...c3, subjects: subjects() }] })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'customers[0].subjects' }] },
  })
})

test('a catalogue file makes them by the same code, and leaves them as their own requests have changed them', async () => {
  room.setTime('2026-11-10T09:00:00Z')
  const tenant = await foundTenant('file')
  const file = {
    subscriptions: [
      {
        key: 'filed',
        customer: 'c2',
        plan: 'metered',
        start: '2026-11-03T00:00:00+01:00',
        quantity: '3',
        addOns: [{ id: 'support', quantity: '2' }],
        source: 'older',
        billingMode: 'old',
      },
    ],
  }
  const apply = () => room.send(tenant, 'POST', '/v1/catalogue', file)
  expect((await apply()).body.changes).toMatchObject([
    { kind: 'subscription', key: 'filed', change: 'created' },
  ])
  const filed = await room.send(tenant, 'GET', '/v1/subscriptions/filed')
  expect(filed.body).toMatchObject({
    state: 'trialing',
    trialEnd: '2026-11-16T23:00:00.000000Z',
    quantity: '3',
    addOns: [{ id: 'support', version: 1, quantity: '2' }],
    source: 'older',
    billingMode: 'old',
    anchorDay: 3,
    nextBillingDate: '2026-12-03',
  })
  await post(tenant, 'filed/extend-trial', { until: '2026-11-30T00:00:00+01:00' })
  await post(tenant, 'filed/change', { plan: 'more', effective: 'period_end', billingMode: 'tidemark' })
  expect((await apply()).body).toMatchObject({ changes: [], unchanged: 1 })
  const changed = await room.send(tenant, 'GET', '/v1/subscriptions/filed')
  expect(changed.body).toMatchObject({ trialEnd: '2026-11-29T23:00:00.000000Z', billingMode: 'tidemark' })
  expect(changed.body.phases).toMatchObject([
    { status: 'trial', plan: 'metered' },
    { status: 'active', plan: 'metered' },
    { status: 'active', plan: 'more', from: '2026-12-02T23:00:00.000000Z', to: null },
  ])
  const { rows } = await room.pool.query(
    "SELECT 1 FROM billing.audit_log WHERE tenant = 'file' AND entity = 'subscription'",
  )
  expect(rows).toHaveLength(3)
})
