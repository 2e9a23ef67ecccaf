import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('closechanges')
})
afterAll(() => room?.close())

const meters: Meter[] = [
  {
    key: 'calls',
    eventType: 'api.request',
    aggregation: 'sum',
    valuePath: 'n',
    dimensions: { region: 'region', tier: 'tier' },
  },
  { key: 'paid', eventType: 'payment', aggregation: 'sum', valuePath: 'amount' },
]

const later = at('2026-11-01T02:00:00Z')
const until = { until: '2026-11-01T01:00:00Z' }

async function found(name: string, plans: Catalogue['plans'], more: Partial<Catalogue> = {}) {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(name, meters)
  const [plan] = plans ?? []
  await room.apply(tenant, {
    plans: plans ?? [],
    customers: [
      {
        key: 'c',
        name: 'C',
        email: 'c@example.com',
        currency: 'EUR',
        timeZone: 'Europe/Berlin',
        subjects: [{ key: 's1' }, { key: 's2' }],
      },
    ],
    subscriptions: [{ key: 'sub', customer: 'c', plan: plan?.id ?? '', start: '2026-09-30T22:00:00Z' }],
    ...more,
  })
  return tenant
}

const used = (tenant: TestTenant, subject: string, time: string, data: Record<string, string | number>) =>
  room.log.append({
    tenant: tenant.tenant,
    type: 'amount' in data ? 'payment' : 'api.request',
    subject,
    time: at(time),
    data,
  })

async function change(tenant: TestTenant, operation: string, body: Record<string, unknown>) {
  const answer = await room.call(tenant, 'POST', `/v1/subscriptions/sub/${operation}`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
}

/** Closes, checks that every invoice verifies, and answers the lines of each as `kind price service amount net`. */
async function close(tenant: TestTenant, by = until) {
  await room.completeUsage(later, [tenant])
  const { status, body } = await room.call(tenant, 'POST', '/v1/periods/close', by)
  expect(status, JSON.stringify(body)).toBe(200)
  expect(body.refused).toEqual([])
  const invoices = []
  for (const { id, number, total } of Object(body.invoices)) {
    const verification = await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)
    expect(verification.body, number).toMatchObject({ verified: true })
    const { body: invoice } = await room.call(tenant, 'GET', `/v1/invoices/${id}`)
    invoices.push({ total, lines: Object(invoice).lines.map(shownLine) })
  }
  return invoices
}

const shownLine = (line: Record<string, string | null> & { service: { start: string; end: string } }) =>
  [line.kind, line.price, line.quantity ?? '-', line.service.start.slice(0, 10), line.amount].join(' ')

describe('a period', () => {
  test('with a plan change rates both parts by their own versions, and the preview says so before', async () => {
    const basic = {
      id: 'basic',
      name: 'Basic',
      currency: 'EUR' as const,
      prices: [
        { id: 'base', model: 'flat' as const, amount: '31.00' },
        { id: 'seat', model: 'per-unit' as const, unitPrice: '3.10' },
        { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '0.5' },
      ],
    }
    const pro = {
      ...basic,
      id: 'pro',
      prices: [
        { id: 'base', model: 'flat' as const, amount: '62.00' },
        { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '0.25', freeUnits: '2' },
      ],
    }
    const tenant = await found('changed', [basic, pro])
    used(tenant, 's1', '2026-10-10T21:59:59Z', { n: 4 })
    used(tenant, 's2', '2026-10-10T22:00:00Z', { n: '10.5' })
    used(tenant, 's1', '2026-11-01T00:00:00Z', { n: 1000 })
    await room.completeUsage(later, [tenant])
    const to = { plan: 'pro', effective: '2026-10-10T22:00:00Z' }
    const preview = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview', to)
    expect(preview).toMatchObject({
      status: 200,
      body: { next: { total: '41.35' }, changed: { total: '57.13' } },
    })
    await change(tenant, 'change', to)
    const again = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview')
    expect(again.body).toMatchObject({ next: Object(preview.body.changed), changed: null })
    expect(await close(tenant)).toEqual([
      {
        total: '57.13',
        lines: [
          'fee base - 2026-09-30 10.00',
          'fee base - 2026-10-10 42.00',
          'fee seat 1 2026-09-30 1.00',
          'usage calls 4 2026-09-30 2.00',
          'usage calls 10.5 2026-10-10 2.13',
        ],
      },
    ])
  })

  test('of matrix prices, filters and single events is what each event says', async () => {
    const tenant = await found('events', [
      {
        id: 'p',
        name: 'P',
        currency: 'EUR',
        prices: [
          {
            id: 'matrix',
            model: 'per-unit',
            meter: 'calls',
            filter: { tier: ['a', 'b'] },
            unitPrice: '1',
            filters: [
              { match: { region: 'eu' }, unitPrice: '2' },
              { match: { region: 'eu', tier: 'b' }, unitPrice: '3' },
            ],
          },
          { id: 'other', model: 'per-unit', meter: 'calls', filter: { tier: ['c'] }, unitPrice: '10' },
          { id: 'fee', model: 'percentage', meter: 'paid', rate: '1', fixedFee: '0.10', freeEvents: '1' },
        ],
      },
    ])
    used(tenant, 's1', '2026-10-02T00:00:00Z', { n: 1, region: 'eu', tier: 'a' })
    used(tenant, 's1', '2026-10-02T00:00:00Z', { n: 1, region: 'eu', tier: 'b' })
    used(tenant, 's2', '2026-10-02T00:00:00Z', { n: 1, region: 'us', tier: 'b' })
    used(tenant, 's2', '2026-10-02T00:00:00Z', { n: 1, region: 'us', tier: 'c' })
    used(tenant, 's2', '2026-10-02T00:00:00Z', { n: 100, region: 'us', tier: 'x' })
    used(tenant, 's1', '2026-10-05T00:00:00Z', { amount: '50' })
    used(tenant, 's2', '2026-10-04T00:00:00Z', { amount: '1000' })
    expect(await close(tenant)).toEqual([
      {
        // The first payment is free: 1 % of 50 + 0.10.
        total: '16.60',
        lines: [
          'usage matrix 3 2026-09-30 6.00',
          'usage other 1 2026-09-30 10.00',
          'usage fee 1050 2026-09-30 0.60',
        ],
      },
    ])
  })

  test('with fees in advance, a coupon that repeats and a minimum closes in order from its start', async () => {
    const tenant = await found(
      'ahead',
      [
        {
          id: 'p',
          name: 'P',
          currency: 'EUR',
          minimum: { amount: '25' },
          prices: [
            { id: 'base', model: 'flat', amount: '20.00', timing: 'advance' },
            { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' },
          ],
        },
      ],
      {
        coupons: [
          { id: 'ten', name: 'Ten', type: 'percent', value: '10', duration: 'repeating', periods: 2 },
        ],
      },
    )
    await change(tenant, 'coupons', { coupon: 'ten', from: '2026-09-30T22:00:00Z' })
    used(tenant, 's1', '2026-10-05T00:00:00Z', { n: 3 })
    expect(await close(tenant, { until: '2026-09-30T23:00:00Z' })).toEqual([
      { total: '18.00', lines: ['fee base - 2026-09-30 20.00'] },
    ])
    const closed = await close(tenant)
    expect(closed.at(-1)).toEqual({
      total: '22.50',
      lines: [
        'usage calls 3 2026-09-30 3.00',
        'fee base - 2026-10-31 20.00',
        'true-up minimum - 2026-09-30 2.00',
      ],
    })
    const { rows } = await room.pool.query(
      "SELECT sequence, amount_micros AS amount FROM billing.coupon_redemptions WHERE tenant = 'ahead' ORDER BY sequence",
    )
    expect(rows).toEqual([
      { sequence: 1, amount: 2_000_000n },
      { sequence: 2, amount: 2_500_000n },
    ])
  })

  test('is taxed by the tenant’s provider, and stays open while that one is away', async () => {
    const tenant = await found('taxed', [
      {
        id: 'p',
        name: 'P',
        currency: 'EUR',
        taxInclusive: true,
        prices: [
          { id: 'base', model: 'flat', amount: '119.00' },
          { id: 'book', model: 'flat', amount: '10.70', taxCode: 'book' },
        ],
      },
    ])
    const rates = [
      { id: 'standard', tax: 'vat', percent: '19', from: '2020-01-01' },
      { id: 'reduced', tax: 'vat', percent: '7', from: '2020-01-01', taxCode: 'book' },
    ]
    expect((await room.call(tenant, 'PUT', '/v1/tax/rates', { rates })).status).toBe(200)
    const { body: preview } = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview')
    expect(preview.next).toMatchObject({
      net: '110.00',
      tax: '19.70',
      total: '129.70',
      taxes: [{ base: '100.00' }, { base: '10.00' }],
    })
    await room.completeUsage(later, [tenant])
    const dryRun = await room.call(tenant, 'POST', '/v1/periods/close', { ...until, dryRun: true })
    expect(dryRun.body).toMatchObject({ refused: [] })
    const asked = await room.pool.query("SELECT 1 FROM billing.tax_calculations WHERE tenant = 'taxed'")
    expect(asked.rows).toEqual([])
    const stripe = (provider: string) => room.call(tenant, 'PUT', '/v1/tax/settings', { provider })
    expect((await stripe('stripe')).status).toBe(200)
    const refused = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(refused.body).toMatchObject({ closed: 0, refused: [{ code: expect.stringMatching(/^tax_/) }] })
    await stripe('fixed')
    expect(await close(tenant)).toEqual([
      { total: '129.70', lines: ['fee base - 2026-09-30 119.00', 'fee book - 2026-09-30 10.70'] },
    ])
  })

  test('that a cancellation ends is billed to there, and nothing follows', async () => {
    const tenant = await found('ended', [
      {
        id: 'p',
        name: 'P',
        currency: 'EUR',
        minimum: { amount: '31' },
        prices: [{ id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' }],
      },
    ])
    used(tenant, 's1', '2026-10-05T00:00:00Z', { n: 3 })
    used(tenant, 's1', '2026-10-10T22:00:00Z', { n: 100 })
    await change(tenant, 'cancel', { effective: '2026-10-10T22:00:00Z' })
    expect(await close(tenant)).toEqual([
      { total: '10.00', lines: ['usage calls 3 2026-09-30 3.00', 'true-up minimum - 2026-09-30 7.00'] },
    ])
    const { body } = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview', {})
    expect(body).toMatchObject({ next: null, changed: null })
  })
})
