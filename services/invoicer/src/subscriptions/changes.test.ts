import type { Interval } from '@tidemark/schemas/calendar.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { type Beginning, begin } from './beginning.ts'
import { cancel, changeTerms, extendTrial, pause, resume, withdrawCancel } from './changes.ts'
import { isRefusal, type Refusal } from './refusal.ts'
import { type Situation, wholePeriodAt } from './situation.ts'
import { stateAt } from './states.ts'
import type { Timeline } from './timeline.ts'

const at = (text: string): Micros1970 =>
  parseInstant(text.length === 10 ? `${text}T00:00:00Z` : `${text}:00Z`) ?? Number.NaN

const month: Interval = { unit: 'month', count: 1 }
const situation = (now: string, more: Partial<Situation> = {}): Situation => ({
  now: at(now),
  zone: 'UTC',
  billedUntil: undefined,
  billedAhead: false,
  intervalOf: ({ plan }) => (plan === 'yearly' ? { unit: 'year', count: 1 } : month),
  ...more,
})

const beginAt = (start: string, more: Partial<Beginning> = {}): Timeline =>
  begin({
    start: at(start),
    zone: 'UTC',
    plan: 'a',
    planVersion: 1,
    quantity: decimal('1'),
    addOns: [],
    trialDays: 0,
    alignment: 'anchor',
    ...more,
  })

const sound = (answer: Timeline | Refusal): Timeline => {
  if (isRefusal(answer)) throw new Error(answer.reason)
  return answer
}
const refused = (answer: Timeline | Refusal) => (isRefusal(answer) ? answer.code : 'done')

/** `active a x1 from to`, without what is whole. */
const shown = ({ phases }: Timeline) =>
  phases.map(
    ({ from, to, status, plan, quantity }) =>
      `${status} ${plan} x${formatDecimal(quantity)} ${short(from)} ${short(to)}`,
  )
const short = (instant: Micros1970) =>
  instant === Infinity ? '-' : formatInstant(instant).slice(0, 16).replace('T00:00', '')

const plan = (id: string) => ({ plan: { id, version: 1 } })
const seats = (count: string) => ({ quantity: decimal(count) })

test('a trial lasts whole local days; periods are counted from the start', () => {
  const timeline = begin({
    start: at('2026-11-01T10:00'),
    zone: 'Asia/Kathmandu',
    plan: 'a',
    planVersion: 1,
    quantity: decimal('1'),
    addOns: [],
    trialDays: 14,
    alignment: 'anchor',
  })
  expect(shown(timeline)).toEqual([
    'trial a x1 2026-11-01T10:00 2026-11-14T18:15',
    'active a x1 2026-11-14T18:15 -',
  ])
  expect(timeline.anchor).toEqual({ date: '2026-11-01', day: 1, alignment: 'anchor' })
  expect(beginAt('2026-11-10', { anchorDay: 31 }).anchor).toMatchObject({ date: '2026-10-31', day: 31 })
})

test('a change holds from its instant on; what was scheduled for other fields stays', () => {
  const started = beginAt('2026-11-01')
  const upgrade = sound(changeTerms(started, situation('2026-11-10'), 'period_end', plan('b')))
  const seated = sound(changeTerms(upgrade, situation('2026-11-12T09:00'), 'now', seats('5')))
  expect(shown(seated)).toEqual([
    'active a x1 2026-11-01 2026-11-12T09:00',
    'active a x5 2026-11-12T09:00 2026-12-01',
    'active b x5 2026-12-01 -',
  ])
  const other = sound(changeTerms(seated, situation('2026-11-13'), 'now', plan('c')))
  expect(shown(other).at(-1)).toBe('active c x5 2026-11-13 -')
})

test('of several changes on one local date the last counts', () => {
  const started = beginAt('2026-11-01')
  const first = sound(changeTerms(started, situation('2026-11-10T08:00'), 'now', plan('b')))
  const second = sound(changeTerms(first, situation('2026-11-10T15:00'), 'now', plan('c')))
  expect(shown(second)).toEqual(['active a x1 2026-11-01 2026-11-10T15:00', 'active c x1 2026-11-10T15:00 -'])
  const paused = sound(pause(started, situation('2026-11-10T08:00'), 'now'))
  expect(shown(sound(resume(paused, situation('2026-11-10T23:59'), 'now')))).toEqual([
    'active a x1 2026-11-01 -',
  ])
  // Whoever resumes for some hours of a day pays for what is used in them.
  const resumed = sound(resume(paused, situation('2026-11-12T08:00'), 'now'))
  expect(shown(sound(pause(resumed, situation('2026-11-12T20:00'), 'now')))).toEqual([
    'active a x1 2026-11-01 2026-11-10T08:00',
    'paused a x1 2026-11-10T08:00 2026-11-12T08:00',
    'active a x1 2026-11-12T08:00 2026-11-12T20:00',
    'paused a x1 2026-11-12T20:00 -',
  ])
  const back = sound(changeTerms(first, situation('2026-11-10T15:00'), 'now', plan('a')))
  expect(shown(back)).toEqual(['active a x1 2026-11-01 -'])
  // By the customer's clock these are two dates.
  const kolkata = { zone: 'Asia/Kolkata' }
  const early = sound(changeTerms(started, situation('2026-11-10T18:00', kolkata), 'now', plan('b')))
  expect(
    shown(sound(changeTerms(early, situation('2026-11-10T19:00', kolkata), 'now', plan('c')))),
  ).toHaveLength(3)
})

test('what begins with a period stays, for fees in advance rest on it', () => {
  const scheduled = sound(
    changeTerms(beginAt('2026-11-01'), situation('2026-11-10'), 'period_end', plan('b')),
  )
  const again = sound(changeTerms(scheduled, situation('2026-12-01T10:00'), 'now', plan('c')))
  expect(shown(again)).toEqual([
    'active a x1 2026-11-01 2026-12-01',
    'active b x1 2026-12-01 2026-12-01T10:00',
    'active c x1 2026-12-01T10:00 -',
  ])
})

test('nothing changes before what is billed, nor where fees in advance are billed', () => {
  const started = beginAt('2026-10-01')
  const billed = { billedUntil: at('2026-11-01') }
  const back = (instant: string, more: Partial<Situation>) =>
    refused(changeTerms(started, situation('2026-11-05', more), at(instant), plan('b')))
  expect(back('2026-10-31', billed)).toBe('already_billed')
  expect(back('2026-11-01', billed)).toBe('done')
  expect(back('2026-11-01', { ...billed, billedAhead: true })).toBe('already_billed')
  expect(back('2026-11-02', { ...billed, billedAhead: true })).toBe('done')
  expect(back('2026-09-30', {})).toBe('invalid_change')
})

test('a plan of another interval begins with a period and counts its own from there', () => {
  const started = beginAt('2026-01-31')
  expect(refused(changeTerms(started, situation('2026-02-10'), 'now', plan('yearly')))).toBe(
    'interval_differs',
  )
  const later = sound(changeTerms(started, situation('2026-02-10'), 'period_end', plan('yearly')))
  expect(shown(later).at(-1)).toBe('active yearly x1 2026-02-28 -')
  const { start, end } = wholePeriodAt(later, situation('2026-02-10'), at('2026-06-01'))
  expect([short(start), short(end)]).toEqual(['2026-02-28', '2027-02-28'])
})

test('a cancellation ends it now or with the period, may be withdrawn, and before the start nothing begins', () => {
  const started = beginAt('2026-11-01')
  const atEnd = sound(cancel(started, situation('2026-11-10'), 'period_end'))
  expect(short(atEnd.end)).toBe('2026-12-01')
  expect(sound(withdrawCancel(atEnd, situation('2026-11-11'))).phases).toEqual(started.phases)
  const trial = beginAt('2026-11-01', { trialDays: 45 })
  const cut = sound(cancel(trial, situation('2026-11-10'), 'period_end'))
  const seated = sound(changeTerms(cut, situation('2026-11-10'), 'now', seats('2')))
  expect(shown(sound(withdrawCancel(seated, situation('2026-11-11'))))).toEqual([
    'trial a x1 2026-11-01 2026-11-10',
    'trial a x2 2026-11-10 2026-12-16',
    'active a x2 2026-12-16 -',
  ])
  const now = sound(cancel(atEnd, situation('2026-11-12T07:00'), 'now'))
  expect(shown(now)).toEqual(['active a x1 2026-11-01 2026-11-12T07:00'])
  expect(stateAt(now, at('2026-11-12T07:00'))).toBe('canceled')
  expect(refused(changeTerms(now, situation('2026-11-13'), 'now', plan('b')))).toBe('illegal_transition')
  expect(refused(changeTerms(atEnd, situation('2026-11-13'), 'period_end', plan('b')))).toBe('invalid_change')
  expect(refused(cancel(atEnd, situation('2026-11-13'), at('2026-12-24')))).toBe('invalid_change')
  const never = sound(cancel(started, situation('2026-10-01'), 'now'))
  expect(never).toMatchObject({ end: at('2026-11-01'), phases: [] })
  expect(stateAt(never, at('2026-10-02'))).toBe('canceled')
})

test('a trial is extended once more while it lasts, and is not paused', () => {
  const trial = beginAt('2026-11-01', { trialDays: 10 })
  const longer = sound(extendTrial(trial, situation('2026-11-05'), at('2026-11-20')))
  expect(shown(longer)).toEqual(['trial a x1 2026-11-01 2026-11-20', 'active a x1 2026-11-20 -'])
  expect(refused(extendTrial(longer, situation('2026-11-05'), at('2026-11-15')))).toBe('invalid_change')
  expect(refused(extendTrial(longer, situation('2026-11-20'), at('2026-11-25')))).toBe('illegal_transition')
  expect(refused(pause(trial, situation('2026-11-05'), 'now'))).toBe('illegal_transition')
  expect(refused(pause(trial, situation('2026-11-05'), 'period_end'))).toBe('done')
})
