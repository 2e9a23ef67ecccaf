import type { Interval } from '@tidemark/schemas/calendar.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { localDateOf } from '@tidemark/schemas/local-date.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { begin } from './beginning.ts'
import { cancel, changeTerms, extendTrial, pause, resume, withdrawCancel } from './changes.ts'
import { isSame } from './phases.ts'
import { isRefusal, type Refusal } from './refusal.ts'
import { isBoundary, type Situation, type When } from './situation.ts'
import { phaseAt, type Timeline } from './timeline.ts'

const hour = 3_600_000_000
const day = 24 * hour
const origin = Date.UTC(2026, 0, 20) * 1000

const intervals: Record<string, Interval> = {
  a: { unit: 'month', count: 1 },
  b: { unit: 'month', count: 1 },
  w: { unit: 'week', count: 1 },
  y: { unit: 'year', count: 1 },
}

const whenArbitrary = fc.oneof(
  fc.constant<When>('now'),
  fc.constant<When>('period_end'),
  fc.integer({ min: -40, max: 2400 }).map((hours): When => origin + hours * hour),
)

/** What a client may ask for, how long after the one before, and whether the period before was billed meanwhile. */
const stepArbitrary = fc.record({
  operation: fc.constantFrom('plan', 'seats', 'pause', 'resume', 'cancel', 'withdraw', 'extend'),
  when: whenArbitrary,
  plan: fc.constantFrom(...Object.keys(intervals)),
  seats: fc.integer({ min: 1, max: 9 }),
  waitHours: fc.integer({ min: 0, max: 400 }),
  bills: fc.boolean(),
  ahead: fc.boolean(),
})
type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never

const zoneArbitrary = fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/New_York', 'Pacific/Apia')

function operate(timeline: Timeline, situation: Situation, step: Step): Timeline | Refusal {
  const { operation, when, plan, seats } = step
  switch (operation) {
    case 'plan':
      return changeTerms(timeline, situation, when, { plan: { id: plan, version: 1 } })
    case 'seats':
      return changeTerms(timeline, situation, when, { quantity: decimal(String(seats)) })
    case 'pause':
      return pause(timeline, situation, when)
    case 'resume':
      return resume(timeline, situation, when)
    case 'cancel':
      return cancel(timeline, situation, when)
    case 'withdraw':
      return withdrawCancel(timeline, situation)
    default:
      return extendTrial(timeline, situation, typeof when === 'number' ? when : situation.now + day)
  }
}

/** Runs the steps; every state that was reached is told, with the situation and what was before. */
function walk(
  { zone, trialDays, steps }: { zone: string; trialDays: number; steps: readonly Step[] },
  visit: (after: Timeline, before: Timeline, situation: Situation, step: Step) => void,
): void {
  let timeline = begin({
    start: origin,
    zone,
    plan: 'a',
    planVersion: 1,
    quantity: decimal('1'),
    addOns: [],
    trialDays,
    alignment: 'anchor',
  })
  let now = origin - day
  let billedUntil: Micros1970 | undefined
  for (const step of steps) {
    now += step.waitHours * hour
    const base = {
      now,
      zone,
      billedAhead: step.ahead,
      intervalOf: ({ plan }: { plan: string }) =>
        intervals[plan] ?? intervals.a ?? { unit: 'month' as const, count: 1 },
    }
    if (step.bills && now > timeline.start && timeline.end > timeline.start) {
      const ended = Math.min(now - (now % day), timeline.end)
      billedUntil = Math.max(ended, billedUntil ?? timeline.start)
      if (billedUntil <= timeline.start) billedUntil = undefined
    }
    const situation = { ...base, billedUntil }
    const after = operate(timeline, situation, step)
    if (isRefusal(after)) continue
    visit(after, timeline, situation, step)
    timeline = after
  }
}

const walks = fc.record({
  zone: zoneArbitrary,
  trialDays: fc.integer({ min: 0, max: 40 }),
  steps: fc.array(stepArbitrary, { minLength: 1, maxLength: 12 }),
})

test('phases lie end to end over [start, end), none is empty, and no two neighbours are the same', () => {
  fc.assert(
    fc.property(walks, (each) => {
      walk(each, ({ start, end, phases }) => {
        expect(phases.length === 0).toBe(start === end)
        expect(phases[0]?.from ?? start).toBe(start)
        expect(phases.at(-1)?.to ?? end).toBe(end)
        for (const [index, phase] of phases.entries()) {
          expect(phase.from).toBeLessThan(phase.to)
          const next = phases[index + 1]
          if (!next) continue
          expect(next.from).toBe(phase.to)
          expect(isSame(phase, next)).toBe(false)
        }
      })
    }),
    { numRuns: 400 },
  )
})

test('nothing before what is billed changes', () => {
  fc.assert(
    fc.property(walks, (each) => {
      walk(each, (after, before, { billedUntil, billedAhead }) => {
        if (billedUntil === undefined) return
        const instants = [...after.phases, ...before.phases].map(({ from }) => from)
        if (billedAhead) instants.push(billedUntil)
        for (const instant of instants.filter(
          (some) => some < billedUntil || some === (billedAhead ? billedUntil : NaN),
        )) {
          const [was, is] = [phaseAt(before, instant), phaseAt(after, instant)]
          expect(was === undefined ? is === undefined : is !== undefined && isSame(was, is)).toBe(true)
        }
        expect(Math.min(after.end, billedUntil)).toBe(Math.min(before.end, billedUntil))
      })
    }),
    { numRuns: 400 },
  )
})

test('inside a period no two changes that can still be billed lie on one local date', () => {
  fc.assert(
    fc.property(walks, (each) => {
      walk(each, (after, _before, situation, step) => {
        if (step.operation === 'withdraw') return
        for (const [index, phase] of after.phases.entries()) {
          const before = after.phases[index - 1]
          if (!before || phase.to === Infinity || phase.from <= (situation.billedUntil ?? after.start))
            continue
          const isResumed = before.status === 'paused' && phase.status === 'active'
          if (before.status === 'trial' || isResumed || isBoundary(after, situation, phase.from)) continue
          expect(localDateOf(phase.from, situation.zone)).not.toBe(localDateOf(phase.to, situation.zone))
        }
      })
    }),
    { numRuns: 400 },
  )
})

test('the last of two changes on a date is what is in force after both', () => {
  fc.assert(
    fc.property(
      zoneArbitrary,
      fc.integer({ min: 48, max: 600 }),
      fc.integer({ min: 1, max: 9 }),
      (zone, hours, seats) => {
        const steps = [seats, seats + 1].map(
          (count, index): Step => ({
            operation: 'seats',
            when: 'now',
            plan: 'a',
            seats: count,
            waitHours: index === 0 ? hours : 1,
            bills: false,
            ahead: false,
          }),
        )
        let last: Timeline | undefined
        walk({ zone, trialDays: 0, steps }, (after) => {
          last = after
        })
        expect(last?.phases.at(-1)?.quantity).toEqual(decimal(String(seats + 1)))
        const dates = (last?.phases.slice(1) ?? []).map(({ from }) => localDateOf(from, zone))
        expect(new Set(dates).size).toBe(dates.length)
      },
    ),
  )
})
