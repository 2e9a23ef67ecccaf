import type { PlanTerms } from '@tidemark/schemas/plan.ts'
import { type Phase, phasesWithin } from '../subscriptions/timeline.ts'
import type { DueInvoice } from './due-invoice.ts'
import { termsOf } from './subscription.ts'

/** What is in force last in a period, or where it begins for an invoice of the start: it decides for the whole invoice. */
export function phaseOfPeriod({ subscription, kind, period }: DueInvoice): Phase {
  const phases = phasesWithin(subscription.timeline, { from: period.start, to: period.end })
  const phase = kind === 'advance' ? phases[0] : phases.at(-1)
  if (!phase) throw new RangeError(`subscription "${subscription.key}" has no plan in the period`)
  return phase
}

export const termsOfPeriod = (due: DueInvoice): PlanTerms => termsOf(due.subscription, phaseOfPeriod(due))
