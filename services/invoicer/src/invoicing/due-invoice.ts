import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { BilledSubscription } from './subscription.ts'

/** What a claim stands for: the end of a period, or the start of the subscription with what is asked for in advance. */
export type ClaimKind = 'recurring' | 'advance'

/** A period of one subscription for which an invoice is due. */
export type DueInvoice = {
  readonly subscription: BilledSubscription
  readonly kind: ClaimKind
  /** The part of its interval in which the subscription exists. */
  readonly period: BillingPeriod
  /** The interval by the calendar, of which fees are a part. */
  readonly whole: BillingPeriod
}
