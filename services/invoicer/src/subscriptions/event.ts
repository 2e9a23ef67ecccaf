import type { BillingEvent, SubscriptionEventData } from '@tidemark/schemas/billing-event.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { stateAt } from './states.ts'
import type { PriceLists, Subscription } from './subscription.ts'
import { phaseAt } from './timeline.ts'
import { nextBillingDate } from './view.ts'

/** What changed a subscription; its audit log names it `subscription.<change>`. */
export type SubscriptionAction =
  | 'created'
  | 'changed'
  | 'trial_extended'
  | 'paused'
  | 'resumed'
  | 'canceled'
  | 'cancel_withdrawn'
  | 'coupon_attached'
  | 'coupon_removed'

/** What is told of a change on billing.events: keyed by customer, and with one id per revision however often it is told. */
export function subscriptionEvent(
  tenant: string,
  action: SubscriptionAction,
  subscription: Subscription,
  lists: PriceLists,
  at: Micros1970,
): { key: string; event: BillingEvent } {
  const { key, customer, revision, timeline } = subscription
  const { start, end, phases, beyond = [] } = timeline
  const phase = phaseAt(timeline, at) ?? (at < start ? phases[0] : phases.at(-1)) ?? beyond[0]
  const data: SubscriptionEventData = {
    tenant,
    subscription: key,
    customer,
    change: action,
    revision: Number(revision),
    state: stateAt(timeline, at),
    plan: phase?.plan ?? '',
    planVersion: phase?.planVersion ?? 0,
    quantity: phase ? formatDecimal(phase.quantity) : '0',
    start: formatInstant(start),
    end: end === Infinity ? null : formatInstant(end),
    nextBillingDate: nextBillingDate(subscription, lists, at) ?? null,
  }
  return {
    key: `${tenant}/${customer}`,
    event: {
      specversion: '1.0',
      id: `${key}/billing.subscription.changed.v1/${revision}`,
      source: `/tidemark/invoicer/${tenant}`,
      type: 'billing.subscription.changed.v1',
      subject: key,
      time: formatInstant(at),
      datacontenttype: 'application/json',
      data,
    },
  }
}
