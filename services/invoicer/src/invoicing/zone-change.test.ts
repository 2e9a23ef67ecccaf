import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { expect, test } from 'vitest'
import { dueInvoices } from '../closing/due.ts'
import { at, plan, subscribed } from './example-subscription.ts'
import { usageNeeds } from './usage-needs.ts'

test('longer intervals go on where the one before has ended, whatever zone the customer has then', () => {
  const quarter = { unit: 'month' as const, count: 3 }
  const calls = { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '1', interval: quarter }
  const subscription = subscribed([plan('a', [calls])], [{ from: '2025-12-15T05:00:00', plan: 'a' }], {
    timeZone: 'America/New_York',
    // The period under way ends by New York on 15 March at 04:00 UTC, and the first quarter with it.
    zones: { current: 'UTC', before: [{ until: at('2026-02-22'), zone: 'America/New_York' }] },
  })
  const windows = dueInvoices(subscription, at('2026-10-01'), 0).flatMap((due) =>
    usageNeeds(due.subscription, { served: due.period, whole: due.whole }).flatMap((need) => need.windows),
  )
  expect(windows.map(formatPeriod)).toEqual(
    [
      ['2025-12-15T05:00', '2026-03-15T04:00'],
      ['2026-03-15T04:00', '2026-06-15T00:00'],
      ['2026-06-15T00:00', '2026-09-15T00:00'],
    ].map(([start, end]) => ({ start: `${start}:00.000000Z`, end: `${end}:00.000000Z` })),
  )
})
