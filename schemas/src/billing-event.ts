import { type Static, Type } from 'typebox'

const instant = Type.String({ format: 'date-time' })

/** What billing.invoice.* events carry. Fields are only ever added. */
export const invoiceEventDataSchema = Type.Object({
  tenant: Type.String(),
  invoiceId: Type.String(),
  number: Type.String(),
  customer: Type.String({ description: 'The customer’s key' }),
  subscription: Type.String({ description: 'The subscription’s key' }),
  period: Type.Object({ start: instant, end: instant }),
  currency: Type.String(),
  total: Type.String({ description: 'Decimal text in major units' }),
  state: Type.String(),
})

export type InvoiceEventData = Static<typeof invoiceEventDataSchema>

/** What billing.subscription.changed.v1 carries: the subscription as it is then. Fields are only ever added. */
export const subscriptionEventDataSchema = Type.Object({
  tenant: Type.String(),
  subscription: Type.String({ description: 'The subscription’s key' }),
  customer: Type.String({ description: 'The customer’s key' }),
  change: Type.String({ description: 'created, changed, paused, resumed, canceled, …' }),
  revision: Type.Integer({
    description: 'Raised by each change: tells which of two events is the later one',
  }),
  state: Type.String(),
  plan: Type.String(),
  planVersion: Type.Integer(),
  quantity: Type.String({ description: 'Decimal text' }),
  start: instant,
  end: Type.Union([instant, Type.Null()]),
  nextBillingDate: Type.Union([Type.String({ format: 'date' }), Type.Null()]),
})

export type SubscriptionEventData = Static<typeof subscriptionEventDataSchema>

export const billingEventTypes = [
  'billing.invoice.opened.v1',
  'billing.invoice.paid.v1',
  'billing.invoice.past_due.v1',
  'billing.payment.succeeded.v1',
  'billing.payment.requires_action.v1',
  'billing.payment.failed.v1',
  'billing.subscription.changed.v1',
] as const

export type BillingEventType = (typeof billingEventTypes)[number]

/** A record on billing.events: a CloudEvent in structured mode. */
export type BillingEvent = {
  specversion: '1.0'
  id: string
  source: string
  type: BillingEventType
  subject: string
  time: string
  datacontenttype: 'application/json'
  data: InvoiceEventData | SubscriptionEventData
}
