import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { createUnbilledWatch } from '@tidemark/invoicer/unbilled/watch.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../eventually.ts'
import type { TestTenant } from '../installation.ts'
import { openSubscriptionRoom, type SubscriptionRoom } from './subscription-room.ts'
import { at } from './usage-log.ts'

let room: SubscriptionRoom
let tenant: TestTenant

const meters = [
  { key: 'calls', eventType: 'api.request', aggregation: 'count', dimensions: { region: 'region' } },
  { key: 'peak', eventType: 'api.request', aggregation: 'max', valuePath: 'load' },
] as const

const catalogue = {
  plans: [
    {
      id: 'eu',
      name: 'EU',
      currency: 'EUR',
      trialDays: 10,
      prices: [
        { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1', filter: { region: ['eu'] } },
      ],
    },
  ],
  customers: ['c1', 'c2'].map((key) => ({
    key,
    name: key,
    email: `${key}@example.com`,
    currency: 'EUR',
    timeZone: 'UTC',
    subjects: [{ key: `${key}-subject` }],
  })),
}

beforeAll(async () => {
  room = await openSubscriptionRoom('unbil', '2026-11-20T12:00:00Z')
  tenant = await room.installation.createTenant('listed')
  await room.createMeters('listed', meters)
  await room.send(tenant, 'POST', '/v1/catalogue', catalogue)
  const start = '2026-11-01T00:00:00Z'
  await room.send(tenant, 'POST', '/v1/subscriptions', { key: 's', customer: 'c1', plan: 'eu', start })
  const usage = [
    ['c1-subject', '2026-11-05T00:00:00Z', 'eu'],
    ['c1-subject', '2026-11-11T00:00:00Z', 'eu'],
    ['c1-subject', '2026-11-12T00:00:00Z', 'eu'],
    ['c1-subject', '2026-11-20T11:00:00Z', 'us'],
    ['c2-subject', '2026-11-20T11:00:00Z', 'eu'],
    ['nobody', '2026-11-20T11:00:00Z', 'eu'],
    ['nobody', '2026-11-20T11:30:00Z', 'eu'],
  ] as const
  for (const [index, [subject, time, region]] of usage.entries())
    room.log.append({
      tenant: tenant.tenant,
      type: 'api.request',
      subject,
      time: at(time),
      data: { region, load: index },
    })
  await room.completeUsage(at('2026-11-20T12:00:00Z'), [tenant])
})
afterAll(() => room?.close())

const list = (query = '') => room.send(tenant, 'GET', `/v1/usage/unbilled?meter=calls${query}`)

test('each reason is told with subjects, counts and quantities', async () => {
  const { body } = await list()
  expect(body).toMatchObject({
    usageUntil: '2026-11-20T12:00:00.000000Z',
    meters: [
      {
        meter: 'calls',
        metered: { events: 7, quantity: '7' },
        billed: { events: 2, quantity: '2' },
        unbilled: {
          events: 5,
          reasons: {
            unknown_subject: { events: 2 },
            no_subscription: { events: 1 },
            trial: { events: 1 },
            filtered_out: { events: 1 },
          },
        },
      },
    ],
    items: [
      { subject: 'c1-subject', reason: 'filtered_out', customer: 'c1', subscription: 's', events: 1 },
      { subject: 'c1-subject', reason: 'trial', customer: 'c1', subscription: 's', quantity: '1' },
      { subject: 'c2-subject', reason: 'no_subscription', customer: 'c2', subscription: null },
      { subject: 'nobody', reason: 'unknown_subject', customer: null, events: 2, quantity: '2' },
    ],
    nextCursor: null,
  })
  const peak = await room.send(tenant, 'GET', '/v1/usage/unbilled?meter=peak&reason=no_price')
  expect(peak.body).toMatchObject({
    meters: [{ metered: { events: 7, quantity: null } }],
    items: [{ subject: 'c1-subject', events: 4, quantity: '3' }],
  })
})

test('a list goes page by page, and over the time that is asked for', async () => {
  const found: unknown[] = []
  for (let cursor: unknown = ''; cursor !== null; ) {
    const { body } = await list(`&limit=1&cursor=${cursor}`)
    found.push(...Object(body).items)
    cursor = Object(body).nextCursor
  }
  expect(found).toEqual(Object((await list()).body).items)
  expect(found).toHaveLength(4)
  const day = await list('&from=2026-11-20T00:00:00Z&to=2026-11-20T11:30:00Z&reason=unknown_subject')
  expect(day.body).toMatchObject({ items: [{ subject: 'nobody', events: 1 }] })
  for (const query of ['&from=2026-01-01T00:00:00Z', '&from=soon', '&to=2026-11-20', '&reason=none'])
    expect([query, await list(query)]).toMatchObject([
      query,
      { status: 400, body: { code: 'invalid_request' } },
    ])
  expect((await room.send(tenant, 'GET', '/v1/usage/unbilled?meter=none')).status).toBe(404)
})

test('usage of the last day that nobody pays for raises an alert', async () => {
  const metrics = createMetrics('watch')
  const watch = createUnbilledWatch({
    pool: room.pool,
    clickHouse: room.clickHouse,
    clock: room.clock,
    log: createLog({ service: 'watch', level: 'silent', pretty: false }),
    metrics,
    fatal: (error) => {
      throw error
    },
    intervalMs: 3_600_000,
  })
  await watch.start()
  // Both meters count the same events.
  const alerts = [/reason="unknown_subject"[^}]*\} 4/, /reason="no_subscription"[^}]*\} 2/]
  const isTold = async () => {
    const text = await metrics.metrics()
    return alerts.every((alert) => alert.test(text))
  }
  await until('the alert', isTold, { timeout: 30_000, interval: 100 })
  await watch.stop()
})
