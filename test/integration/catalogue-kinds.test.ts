import type { Coupon } from '@tidemark/schemas/coupon.ts'
import type { Customer } from '@tidemark/schemas/customer.ts'
import type { Seller } from '@tidemark/schemas/seller.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CatalogueRoom, openCatalogueRoom } from './catalogue-room.ts'

let room: CatalogueRoom

beforeAll(async () => {
  room = await openCatalogueRoom('kinds')
})
afterAll(() => room?.close())

const call = (
  tenant: TestTenant,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  ifMatch?: string,
) => room.call(tenant, { method, path, body, ...(ifMatch === undefined ? {} : { ifMatch }) })

const seller: Seller = {
  name: 'Acme Software GmbH',
  address: { line1: 'Hauptstr. 1', postalCode: '10115', city: 'Berlin', country: 'DE' },
  taxIds: [{ type: 'eu_vat', value: 'DE123456789' }],
  invoiceSeries: { prefix: 'AC' },
}
const customer: Customer = {
  key: 'acme',
  name: 'Acme',
  email: 'billing@acme.example',
  address: { line1: '1 Main St', city: 'Springfield', region: 'IL', postalCode: '62701', country: 'US' },
  currency: 'USD',
  timeZone: 'America/Chicago',
  taxId: { type: 'us_ein', value: '12-3456789' },
  taxExemption: 'exempt',
  paymentTerms: { dueDays: 30 },
  homeRegion: 'us-east',
  processorCustomerId: 'cus_1',
  paymentMethodId: 'pm_1',
  processorCustomerIds: { adyen: 'shopper-1' },
  metadata: { crm: '42' },
  subjects: [{ key: 'acme-us' }],
}
const coupon: Coupon = {
  id: 'launch',
  name: 'Launch',
  type: 'percent',
  value: '20',
  duration: 'repeating',
  periods: 3,
}

test('a seller is set, read and changed; the invoice series takes its prefix', async () => {
  const tenant = await room.installation.createTenant('sellers')
  expect(await call(tenant, 'GET', '/v1/seller')).toMatchObject({
    status: 404,
    body: { code: 'seller_unknown' },
  })
  expect(await call(tenant, 'PUT', '/v1/seller', seller)).toMatchObject({
    status: 200,
    etag: '"1"',
    body: { changes: [{ kind: 'seller', key: 'seller', change: 'created' }] },
  })
  expect(await call(tenant, 'GET', '/v1/seller')).toMatchObject({ body: seller, etag: '"1"' })
  const moved = {
    ...seller,
    address: { ...seller.address, city: 'Hamburg' },
    invoiceSeries: { prefix: 'AC27' },
  }
  expect((await call(tenant, 'PUT', '/v1/seller', moved, '"1"')).body.changes).toEqual([
    {
      kind: 'seller',
      key: 'seller',
      change: 'changed',
      difference: [
        { path: 'address.city', before: 'Berlin', after: 'Hamburg' },
        { path: 'invoiceSeries.prefix', before: 'AC', after: 'AC27' },
      ],
    },
  ])
  const { rows } = await room.pool.query(
    "SELECT prefix, last_number FROM billing.invoice_series WHERE tenant = 'sellers'",
  )
  expect(rows).toEqual([{ prefix: 'AC27', last_number: 0n }])
})

test('a customer keeps every field, and the difference of a change is told', async () => {
  const tenant = await room.installation.createTenant('customers')
  expect((await call(tenant, 'POST', '/v1/customers', customer)).status).toBe(200)
  expect(await call(tenant, 'GET', '/v1/customers/acme')).toMatchObject({ body: customer, etag: '"1"' })
  expect((await call(tenant, 'POST', '/v1/customers', customer)).body).toEqual({
    dryRun: false,
    changes: [],
    unchanged: 1,
  })
  const { metadata: _, ...rest } = customer
  const changed = { ...rest, name: 'Acme Inc.', subjects: [{ key: 'acme-us' }, { key: 'acme-eu' }] }
  const answer = await call(tenant, 'PUT', '/v1/customers/acme', changed)
  expect(answer).toMatchObject({ etag: '"2"' })
  expect(answer.body.changes).toEqual([
    {
      kind: 'customer',
      key: 'acme',
      change: 'changed: name, metadata, subjects',
      difference: [
        { path: 'name', before: 'Acme', after: 'Acme Inc.' },
        { path: 'metadata', before: { crm: '42' } },
        { path: 'subjects[0]', before: 'acme-us', after: 'acme-eu' },
        { path: 'subjects[1]', after: 'acme-us' },
      ],
    },
  ])
  expect((await call(tenant, 'GET', '/v1/customers/nobody')).body.code).toBe('customer_unknown')
  const named = await call(tenant, 'PUT', '/v1/customers/other', customer)
  expect(named).toMatchObject({ status: 422, body: { errors: [{ path: 'customers[0].key' }] } })
})

test('any key that a customer may have can be named in a path', async () => {
  const tenant = await room.installation.createTenant('keys')
  for (const key of ['ü'.repeat(256), 'a/b?c=d#e', '100 %']) {
    const path = `/v1/customers/${encodeURIComponent(key)}`
    const subjects = [{ key: `subject of ${key.slice(0, 9)}` }]
    expect(await call(tenant, 'PUT', path, { ...customer, key, subjects })).toMatchObject({ status: 200 })
    expect((await call(tenant, 'GET', path)).body.key).toBe(key)
  }
})

test('of two writers at once one wins, and the other is told', async () => {
  const tenant = await room.installation.createTenant('writers')
  await call(tenant, 'POST', '/v1/customers', customer)
  const answers = await Promise.all(
    ['One', 'Two', 'Three'].map((name) =>
      call(tenant, 'PUT', '/v1/customers/acme', { ...customer, name }, '"1"'),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
    code: 'revision_conflict',
    revision: '2',
  })
  const { etag } = await call(tenant, 'POST', '/v1/catalogue?dryRun=true', { coupons: [coupon] })
  await call(tenant, 'POST', '/v1/coupons', { ...coupon, id: 'between' })
  expect((await call(tenant, 'POST', '/v1/catalogue', { coupons: [coupon] }, etag)).status).toBe(409)
  expect((await call(tenant, 'PUT', '/v1/customers/acme', customer, 'old')).status).toBe(400)
})

test('a coupon’s worth never changes, by the database neither; the rest of it may', async () => {
  const tenant = await room.installation.createTenant('coupons')
  await call(tenant, 'POST', '/v1/coupons', coupon)
  const dearer = await call(tenant, 'PUT', '/v1/coupons/launch', { ...coupon, value: '30' })
  expect(dearer).toMatchObject({ status: 422, body: { errors: [{ path: 'coupons[0].value' }] } })
  const until = { ...coupon, redeemBy: '2027-01-01T00:00:00+01:00', maxRedemptions: 10 }
  expect((await call(tenant, 'PUT', '/v1/coupons/launch', until)).status).toBe(200)
  expect((await call(tenant, 'POST', '/v1/coupons', until)).body.unchanged).toBe(1)
  expect((await call(tenant, 'GET', '/v1/coupons/launch')).body).toEqual({
    ...until,
    redeemBy: '2026-12-31T23:00:00.000000Z',
  })
  await expect(room.pool.query("UPDATE billing.coupons SET terms = '{}'")).rejects.toMatchObject({
    code: 'postgres_42501',
  })
  const faulty = [
    { ...coupon, id: 'a', value: '120' },
    { ...coupon, id: 'b', type: 'fixed' },
    { ...coupon, id: 'c', duration: 'once' },
    { ...coupon, id: 'd', appliesTo: ['nothing'] },
    { ...coupon, id: 'e', redeemBy: 'soon' },
    { ...coupon, id: 'f', value: '0' },
  ]
  const { body } = await call(tenant, 'POST', '/v1/catalogue', { coupons: faulty })
  expect(Object(body.errors).map(({ path }: { path: string }) => path)).toEqual([
    'coupons[0].value',
    'coupons[1].currency',
    'coupons[2].periods',
    'coupons[3].appliesTo[0]',
    'coupons[4].redeemBy',
    'coupons[5].value',
  ])
})

test('exchange rates are dated; the newest until a date is in force', async () => {
  const tenant = await room.installation.createTenant('rates')
  const rates = [
    { from: 'EUR', to: 'USD', on: '2026-10-01', rate: '1.10' },
    { from: 'EUR', to: 'USD', on: '2026-11-01', rate: '1.0842' },
  ]
  expect((await call(tenant, 'POST', '/v1/catalogue', { exchangeRates: rates })).body.changes).toHaveLength(2)
  expect((await call(tenant, 'POST', '/v1/catalogue', { exchangeRates: rates })).body.unchanged).toBe(2)
  const page = await call(tenant, 'GET', '/v1/exchange-rates?limit=1')
  expect(page.body).toEqual({ items: [{ ...rates[0], rate: '1.1' }], nextCursor: 'EUR/USD/2026-10-01' })
  const rest = await call(tenant, 'GET', `/v1/exchange-rates?cursor=${page.body.nextCursor}`)
  expect(rest.body).toEqual({ items: [rates[1]], nextCursor: null })
  for (const on of ['2026-02-30', '0000-01-01']) {
    const faulty = { from: 'EUR', to: 'EUR', on, rate: '0' }
    expect((await call(tenant, 'POST', '/v1/exchange-rates', faulty)).body.errors).toHaveLength(3)
    expect((await call(tenant, 'GET', `/v1/exchange-rates?cursor=EUR/USD/${on}`)).status).toBe(400)
  }
})

test('subjects are listed by customer and key, page by page', async () => {
  const tenant = await room.installation.createTenant('subjects')
  const from = '2026-11-01T00:00:00.000000Z'
  await call(tenant, 'POST', '/v1/catalogue', {
    customers: [
      { ...customer, subjects: [{ key: 'shared', to: from }, { key: 'own' }] },
      { ...customer, key: 'next', subjects: [{ key: 'shared', from }] },
    ],
  })
  const list = async (query: string) => (await call(tenant, 'GET', `/v1/subjects?${query}`)).body
  const own = { key: 'own', customer: 'acme', subscription: null, from: null, to: null }
  expect(await list('customer=acme')).toMatchObject({ items: [own, { key: 'shared', to: from }] })
  const first = await list('key=shared&limit=1')
  expect(first).toMatchObject({ items: [{ customer: 'acme' }], nextCursor: '_shared' })
  const second = await list('limit=1&cursor=_shared')
  expect(second).toMatchObject({ items: [{ customer: 'next', from }], nextCursor: null })
  expect((await call(tenant, 'GET', '/v1/subjects?cursor=none')).status).toBe(400)
})
