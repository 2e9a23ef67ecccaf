import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { livedIn, until } from './close-subscription.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('closeamounts')
})
afterAll(() => room?.close())

const { found, change, close, complete, used } = livedIn(() => room)

describe('a period', () => {
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
    await complete(tenant)
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

  test('that comes to more than can be stored stays open, and the others close', async () => {
    const seat = { id: 'seat', model: 'per-unit' as const, unitPrice: '999999999999' }
    const subscription = { customer: 'c', plan: 'p', start: '2026-09-30T22:00:00Z' }
    const tenant = await found('toolarge', [{ id: 'p', name: 'P', currency: 'EUR', prices: [seat] }], {
      subscriptions: [
        { ...subscription, key: 'sub', quantity: '999999999999.999999999' },
        { ...subscription, key: 'other', quantity: '0.000000001' },
      ],
    })
    await complete(tenant)
    const { status, body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      closed: 1,
      invoices: [{ subscription: 'other', total: '1000.00' }],
      refused: [{ code: 'amount_too_large' }],
    })
    const preview = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview')
    expect(preview).toMatchObject({ status: 409, body: { code: 'amount_too_large' } })
  })
})
