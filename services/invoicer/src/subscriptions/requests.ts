import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import type {
  ChangeRequest,
  CouponRequest,
  EffectiveRequest,
  ExtendTrialRequest,
} from '@tidemark/schemas/subscription-change.ts'
import { cancel, changeTerms, extendTrial, pause, resume, type Terms, withdrawCancel } from './changes.ts'
import type { SubscriptionAction } from './event.ts'
import { type FieldFault, findAddOns, findPlan, type Offers } from './offers.ts'
import { isRefusal, type Refusal } from './refusal.ts'
import { settledByNobody } from './settlement.ts'
import { instantOfWhen, type Situation, type When } from './situation.ts'
import { type PriceLists, planOfPhase, type Subscription, situationOf, versionKey } from './subscription.ts'
import { phaseAt } from './timeline.ts'

/** A request to change a subscription, by the last part of its address. */
export type SubscriptionRequest =
  | { readonly operation: 'change'; readonly body: ChangeRequest }
  | { readonly operation: 'pause' | 'resume' | 'cancel'; readonly body: EffectiveRequest }
  | { readonly operation: 'extend-trial'; readonly body: ExtendTrialRequest }
  | { readonly operation: 'coupons'; readonly body: CouponRequest }
  | { readonly operation: 'remove-coupon'; readonly body: { readonly coupon: string } }

/** What changes the timeline or the billing mode. */
export type TimelineRequest = Exclude<SubscriptionRequest, { operation: 'coupons' | 'remove-coupon' }>

/** What a request makes of a subscription. */
export type Planned = {
  readonly subscription: Subscription
  /** With the versions that the change brings. */
  readonly lists: PriceLists
  readonly action: SubscriptionAction
}

export type Faults = { readonly faults: readonly FieldFault[] }

/** Works a request out without storing anything: what a preview shows is what the change does. */
export function planRequest(
  subscription: Subscription,
  lists: PriceLists,
  offers: Offers,
  request: TimelineRequest,
  now: number,
): Planned | Refusal | Faults {
  const situation = situationOf(subscription, lists, now)
  const { timeline } = subscription
  if (request.operation === 'change')
    return planTermsChange(subscription, lists, offers, request.body, situation)
  if (request.operation === 'extend-trial') {
    const until = parseInstant(request.body.until)
    if (until === undefined) return { faults: [notInstant('until', request.body.until)] }
    return planned(subscription, lists, 'trial_extended', extendTrial(timeline, situation, until))
  }
  const { effective = 'now' } = request.body
  if (request.operation === 'cancel' && effective === 'never')
    return planned(subscription, lists, 'cancel_withdrawn', withdrawCancel(timeline, situation))
  const when = whenOf(effective)
  if (when === undefined) return { faults: [notInstant('effective', effective)] }
  if (request.operation === 'cancel')
    return planned(subscription, lists, 'canceled', cancel(timeline, situation, when))
  return request.operation === 'pause'
    ? planned(subscription, lists, 'paused', pause(timeline, situation, when))
    : planned(subscription, lists, 'resumed', resume(timeline, situation, when))
}

function planned(
  subscription: Subscription,
  lists: PriceLists,
  action: SubscriptionAction,
  timeline: Subscription['timeline'] | Refusal,
): Planned | Refusal {
  if (isRefusal(timeline)) return timeline
  const after = { ...subscription, timeline }
  const refusal = feesNobodyAsks(subscription, after, lists) ?? settledByNobody(subscription, after, lists)
  return refusal ?? { subscription: after, lists, action }
}

/** Fees in advance of a period are asked for where it begins: none may come to a beginning that is billed already. */
function feesNobodyAsks(before: Subscription, after: Subscription, lists: PriceLists): Refusal | undefined {
  const { timeline, billedUntil } = before
  const at = billedUntil ?? timeline.start
  const asked = (subscription: Subscription) => situationOf(subscription, lists, at).billedAhead
  if (asked(before) || !asked(after)) return undefined
  return {
    code: 'already_billed',
    field: 'effective',
    reason: `the period that begins at ${formatInstant(at)} would bring fees in advance, which its invoice has not asked for; change after that instant`,
  }
}

function planTermsChange(
  subscription: Subscription,
  lists: PriceLists,
  offers: Offers,
  body: ChangeRequest,
  situation: Situation,
): Planned | Refusal | Faults {
  const { effective = 'now', plan: planId, quantity, addOns: asked, billingMode } = body
  const when = whenOf(effective)
  if (when === undefined) return { faults: [notInstant('effective', effective)] }
  if (planId === undefined && quantity === undefined && asked === undefined && billingMode === undefined)
    return {
      faults: [{ field: 'plan', reason: 'name what is to change: plan, quantity, addOns or billingMode' }],
    }
  const { currency, timeline } = subscription
  if (timeline.phases.length === 0) return notThere
  const before = phaseAt(timeline, instantOfWhen(timeline, situation, when)) ?? timeline.phases.at(-1)
  const current = before && { plan: planOfPhase(lists, before), version: before.planVersion }
  const isOther = planId !== undefined && planId !== before?.plan
  const found = planId === undefined || !isOther ? current : findPlan(planId, currency, offers)
  if (found && 'reason' in found) return { faults: [found] }
  if (!before || !found) return notThere
  const { addOns, faults } = findAddOns(asked ?? [], found.plan, currency, offers, before.addOns)
  if (faults.length > 0) return { faults }
  const next = { ...subscription, billingMode: billingMode ?? subscription.billingMode }
  const terms: Terms = {
    ...(planId === undefined ? {} : { plan: { id: planId, version: found.version } }),
    ...(quantity === undefined ? {} : { quantity: decimal(quantity) }),
    ...(asked === undefined ? {} : { addOns }),
  }
  if (Object.keys(terms).length === 0) return { subscription: next, lists, action: 'changed' }
  const extended = withVersions(lists, found, addOns, offers)
  const after = situationOf(subscription, extended, situation.now)
  return planned(next, extended, 'changed', changeTerms(timeline, after, when, terms))
}

/** A subscription that never begins has nothing that could change. */
const notThere: Refusal = {
  code: 'illegal_transition',
  reason: 'the subscription was canceled before it began; make a new one',
}

function withVersions(
  { plans, addOns }: PriceLists,
  { plan, version }: { plan: Parameters<typeof findAddOns>[1]; version: number },
  added: readonly { id: string; version: number }[],
  offers: Offers,
): PriceLists {
  const brought = added.flatMap((each) => {
    const offer = offers.addOn(each.id)
    const isNew = typeof offer !== 'string' && offer.version === each.version
    return isNew ? [[versionKey(each.id, each.version), { addOn: offer.item }] as const] : []
  })
  return {
    plans: new Map([...plans, [versionKey(plan.id, version), { plan }]]),
    addOns: new Map([...addOns, ...brought]),
  }
}

function whenOf(text: string): When | undefined {
  return text === 'now' || text === 'period_end' ? text : parseInstant(text)
}

const notInstant = (field: string, text: string): FieldFault => ({
  field,
  reason: `"${text}" is ${field === 'effective' ? 'neither now nor period_end nor an' : 'no'} instant such as 2026-11-01T00:00:00Z`,
})
