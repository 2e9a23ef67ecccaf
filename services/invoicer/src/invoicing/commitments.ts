import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Micros, parseMicros } from '@tidemark/schemas/money.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { whole as all } from '../pricing/fraction.ts'
import type { Commitment } from '../pricing/priced-invoice.ts'
import type { Fraction } from '../pricing/rated.ts'
import { type Phase, phasesWithin } from '../subscriptions/timeline.ts'
import { keptFees } from './advance.ts'
import { changesWithin } from './changes.ts'
import { partOfPhases } from './fees.ts'
import type { Charge } from './line.ts'
import { type Window, windowsEnding } from './periods.ts'
import { type BilledSubscription, planOf, versionKey } from './subscription.ts'

/** A stretch in which one version of a plan is in force. */
type Run = {
  readonly plan: Plan
  readonly phases: readonly Phase[]
  readonly from: Micros1970
  readonly to: Micros1970
}

/** Lines of earlier invoices that count towards the minimum of a term: those whose service begins in it. */
export type Term = Readonly<{ from: Micros1970; to: Micros1970 }>

/**
 * Minimum and maximum of a period, for each version of a plan in its own part of it and prorated by that part, and the
 * minimum of a term that ends with the period.
 * @param alreadyMicros what was asked for in advance for this period
 * @param spentMicros what earlier invoices have charged for the term
 */
export function commitmentsOf(
  subscription: BilledSubscription,
  period: Window,
  charges: readonly Charge[],
  { alreadyMicros, spentMicros }: { alreadyMicros: Micros; spentMicros: Micros },
): Commitment[] {
  const runs = runsWithin(subscription, period.served)
  const already = alreadyByRun(subscription, period, runs, alreadyMicros)
  const periodical = runs.flatMap((run, index): Commitment[] => {
    const isLast = index === runs.length - 1
    const { minimum, maximum } = run.plan
    const common = {
      ...(runs.length === 1
        ? {}
        : {
            id: versionKey(run.plan.id, run.phases[0]?.planVersion ?? 0),
            appliesTo: within(charges, run, index === 0),
          }),
      ...(already[index] ? { alreadyMicros: already[index] } : {}),
    }
    const factorOf = (prorate: boolean | undefined) =>
      factorFor(subscription, period.whole, run, prorate, isLast)
    const least = minimum && minimum.term === undefined ? factorOf(minimum.prorate) : undefined
    const most = maximum && factorOf(maximum.prorate)
    return [
      ...(minimum && least ? [{ ...common, minimumMicros: parseMicros(minimum.amount), factor: least }] : []),
      ...(maximum && most ? [{ ...common, maximumMicros: parseMicros(maximum.amount), factor: most }] : []),
    ]
  })
  const term = endingTerm(subscription, period)
  if (!term) return periodical
  return [
    ...periodical,
    { id: 'term', minimumMicros: term.minimumMicros, factor: term.factor, alreadyMicros: spentMicros },
  ]
}

/** What was asked for in advance is of the first run; what a change has left of it is of the run after it from there on. */
function alreadyByRun(
  subscription: BilledSubscription,
  period: Window,
  runs: readonly Run[],
  alreadyMicros: Micros,
): Micros[] {
  const already = runs.map((_, index) => (index === 0 ? alreadyMicros : 0n))
  if (runs.length === 1) return already
  const move = (instant: Micros1970, micros: Micros) => {
    const index = Math.max(
      runs.findIndex(({ from, to }) => from <= instant && instant < to),
      0,
    )
    already[index] = (already[index] ?? 0n) + micros
  }
  for (const change of changesWithin(subscription, period.served)) {
    const kept = keptFees(subscription, period, change)
    if (kept === 0n || change.at >= period.served.end) continue
    move(change.before?.from ?? period.served.start, -kept)
    move(change.at, kept)
  }
  return already
}

const within = (charges: readonly Charge[], { from, to }: Run, isFirst: boolean): string[] =>
  charges
    .filter(({ service, countedAt = service.start }) => (isFirst || from <= countedAt) && countedAt < to)
    .map(({ id }) => id)

/** The term whose minimum a period's invoice settles, as far as the plan at its end has been in force. */
export function termOf(subscription: BilledSubscription, period: Window): Term | undefined {
  const found = endingTerm(subscription, period)
  return found && { from: found.from, to: period.served.end }
}

function endingTerm(subscription: BilledSubscription, period: Window) {
  const plan = runsWithin(subscription, period.served).at(-1)?.plan
  if (!plan?.minimum?.term) return undefined
  const { amount, term, prorate } = plan.minimum
  const window = windowsEnding(subscription, term, period).at(-1)
  const run = window && runsWithin(subscription, window.served).at(-1)
  const factor = window && run && factorFor(subscription, window.whole, run, prorate, true)
  return factor && { from: run.from, minimumMicros: parseMicros(amount), factor }
}

/** The part of a period that a run has fees in; undefined when it has none, and nothing is committed. */
function factorFor(
  subscription: BilledSubscription,
  period: BillingPeriod,
  { phases }: Run,
  prorate: boolean | undefined,
  isLast: boolean,
): Fraction | undefined {
  const factor = partOfPhases(subscription, period, phases)
  if (factor.numerator === 0n || (prorate === false && !isLast)) return undefined
  return prorate === false ? all : factor
}

function runsWithin(subscription: BilledSubscription, { start, end }: BillingPeriod): Run[] {
  const runs: Run[] = []
  for (const phase of phasesWithin(subscription.timeline, { from: start, to: end })) {
    const { plan } = planOf(subscription, phase)
    const last = runs.at(-1)
    if (last?.plan === plan) runs.splice(-1, 1, { ...last, phases: [...last.phases, phase], to: phase.to })
    else runs.push({ plan, phases: [phase], from: phase.from, to: phase.to })
  }
  return runs
}
