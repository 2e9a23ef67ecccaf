import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { livedIn, shownLine } from './close-subscription.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('closechanges')
})
afterAll(() => room?.close())

const { found, change, close, complete, used } = livedIn(() => room)

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
    await complete(tenant)
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

  test('that has begun takes no fee in advance at its first instant, which its invoice did not ask for', async () => {
    const [behind, ahead] = (['arrears', 'advance'] as const).map((timing) => ({
      id: timing,
      name: timing,
      currency: 'EUR' as const,
      prices: [{ id: 'base', model: 'flat' as const, amount: '30.00', timing }],
    }))
    if (!behind || !ahead) throw new Error('two plans')
    const tenant = await found('boundary', [behind, ahead])
    expect(await close(tenant)).toHaveLength(1)
    const at = (effective: string) =>
      room.call(tenant, 'POST', '/v1/subscriptions/sub/change', { plan: 'advance', effective })
    expect(await at('2026-10-31T23:00:00Z')).toMatchObject({ status: 409, body: { code: 'already_billed' } })
    expect((await at('2026-10-31T23:00:01Z')).status).toBe(200)
    const { body } = await room.call(tenant, 'POST', '/v1/subscriptions/sub/preview')
    expect(Object(body.next).lines.map(shownLine)).toEqual([
      'charge base - 2026-10-31 30.00',
      'fee base - 2026-11-30 30.00',
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
