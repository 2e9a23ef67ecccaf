import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { at, compose, dueAt, plan, type Stage, subscribed } from './example-subscription.ts'

const hour = 3_600_000_000
const start = at('2026-10-01')

const stageArbitrary = fc.record({
  hours: fc.integer({ min: 1, max: 24 * 31 - 1 }),
  plan: fc.constantFrom('a', 'b'),
  status: fc.constantFrom('active' as const, 'paused' as const),
  seats: fc.integer({ min: 0, max: 5 }),
})

/** October of a subscription that changes now and then, and perhaps ends. */
const octoberArbitrary = fc.record({
  first: fc.constantFrom('active' as const, 'trial' as const),
  stages: fc.uniqueArray(stageArbitrary, { maxLength: 6, selector: ({ hours }) => hours }),
  ends: fc.option(fc.integer({ min: 1, max: 24 * 31 - 1 })),
  dayCount: fc.constantFrom('half-open' as const, 'second' as const, 'fixed30' as const),
})
type October = typeof octoberArbitrary extends fc.Arbitrary<infer Value> ? Value : never

function octoberOf({ first, stages, ends, dayCount }: October, timing: 'advance' | 'arrears') {
  const priced = (id: string, amount: string) =>
    plan(
      id,
      [
        { id: 'base', model: 'flat', amount, timing },
        { id: 'seat', model: 'per-unit', unitPrice: '7.77', timing },
        // Keeps the total above zero.
        { id: 'ballast', model: 'flat', amount: '10000', prorate: false },
      ],
      { dayCount },
    )
  const instant = (hours: number) => formatInstant(start + hours * hour).slice(0, -1)
  const sorted = stages
    .filter(({ hours }) => ends === null || hours < ends)
    .toSorted((a, b) => a.hours - b.hours)
  const lived: Stage[] = [
    { from: '2026-10-01T00:00:00', plan: 'a', status: first },
    ...sorted.map(({ hours, seats, ...stage }) => ({
      ...stage,
      from: instant(hours),
      quantity: decimal(`${seats}`),
    })),
  ]
  return subscribed(
    [priced('a', '31.00'), priced('b', '99.99')],
    lived,
    ends === null ? {} : { end: instant(ends) },
  )
}

const totalOf = (draft: ReturnType<typeof compose>) =>
  draft.lines
    .filter(({ price, service }) => price !== 'ballast' && service.start < at('2026-11-01'))
    .reduce((sum, { amountMicros }) => sum + amountMicros, 0n)

test('fees in advance and what changes make of them come to the same fees in arrears, but for the rounding', () => {
  fc.assert(
    fc.property(octoberArbitrary, (october) => {
      const ahead = octoberOf(october, 'advance')
      const settled = compose(dueAt(ahead, '2026-10-01'))
      const first = compose(dueAt(ahead, '2026-10-01', 'advance'))
      const behind = compose(dueAt(octoberOf(october, 'arrears'), '2026-10-01'))
      const difference = totalOf(first) + totalOf(settled) - totalOf(behind)
      const lines = BigInt(first.lines.length + settled.lines.length + behind.lines.length)
      expect(difference < 0n ? -difference : difference).toBeLessThanOrEqual(lines * 5_000n)
    }),
    { numRuns: 300 },
  )
})

test('parts of a period without a pause come to the whole fee, whatever divides it', () => {
  fc.assert(
    fc.property(octoberArbitrary, (october) => {
      const stages = october.stages.map((stage) => ({
        ...stage,
        plan: 'a' as const,
        status: 'active' as const,
      }))
      const lived = octoberOf({ ...october, first: 'active', stages, ends: null }, 'arrears')
      const base = compose(dueAt(lived, '2026-10-01')).lines.filter(({ price }) => price === 'base')
      const total = base.reduce((sum, { amountMicros }) => sum + amountMicros, 0n)
      const difference = total - 31_000_000n
      expect(difference < 0n ? -difference : difference).toBeLessThanOrEqual(BigInt(base.length) * 5_000n)
    }),
    { numRuns: 300 },
  )
})

test('lines, taxes and credits sum to what is due', () => {
  fc.assert(
    fc.property(octoberArbitrary, (october) => {
      const { lines, invoice } = compose(dueAt(octoberOf(october, 'advance'), '2026-10-01'))
      const sum = lines.reduce((total, line) => total + line.netMicros + line.taxMicros, 0n)
      expect(sum).toBe(invoice.totalMicros)
      expect(invoice.amountDueMicros).toBe(invoice.totalMicros - invoice.creditsMicros)
    }),
    { numRuns: 200 },
  )
})
