import { randomBytes } from 'node:crypto'

/** The objects as they stand on the wire, with the fields that callers of this project read. Times are seconds. */

export type Metadata = Record<string, string>

export type Customer = {
  id: string
  object: 'customer'
  created: number
  livemode: false
  email: string | null
  name: string | null
  description: string | null
  metadata: Metadata
  invoice_settings: { default_payment_method: string | null }
}

export type PaymentMethod = {
  id: string
  object: 'payment_method'
  created: number
  livemode: false
  customer: string | null
  metadata: Metadata
  type: 'card' | 'us_bank_account'
  card?: { brand: string; last4: string; exp_month: number; exp_year: number; funding: string }
  us_bank_account?: { last4: string; bank_name: string }
}

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'succeeded'
  | 'canceled'

export type LastPaymentError = {
  type: 'card_error'
  code: string
  message: string
  decline_code?: string
  charge: string
  payment_method: PaymentMethod
}

export type PaymentIntent = {
  id: string
  object: 'payment_intent'
  created: number
  livemode: false
  amount: number
  amount_capturable: 0
  amount_received: number
  currency: string
  customer: string | null
  payment_method: string | null
  payment_method_types: string[]
  status: IntentStatus
  latest_charge: string | null
  last_payment_error: LastPaymentError | null
  next_action: { type: 'use_stripe_sdk'; use_stripe_sdk: { type: 'three_d_secure_redirect' } } | null
  capture_method: 'automatic_async'
  confirmation_method: 'automatic'
  client_secret: string
  canceled_at: number | null
  cancellation_reason: string | null
  description: string | null
  metadata: Metadata
}

export type Charge = {
  id: string
  object: 'charge'
  created: number
  livemode: false
  amount: number
  amount_captured: number
  captured: boolean
  paid: boolean
  status: 'succeeded' | 'pending' | 'failed'
  currency: string
  customer: string | null
  payment_intent: string
  payment_method: string
  failure_code: string | null
  failure_message: string | null
  metadata: Metadata
}

export type EventType =
  | 'charge.failed'
  | 'charge.pending'
  | 'charge.succeeded'
  | 'customer.created'
  | 'payment_intent.canceled'
  | 'payment_intent.created'
  | 'payment_intent.payment_failed'
  | 'payment_intent.processing'
  | 'payment_intent.requires_action'
  | 'payment_intent.succeeded'

export type StripeEvent = {
  id: string
  object: 'event'
  api_version: string
  created: number
  livemode: false
  pending_webhooks: number
  type: EventType
  data: { object: Customer | PaymentIntent | Charge }
  request: { id: string; idempotency_key: string | null }
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** An id in Stripe's manner: a prefix that names the kind, then 24 letters and digits. */
export function newId(
  prefix: 'ch' | 'cus' | 'evt' | 'pi' | 'pm' | 'req' | 'secret' | 'tax_li' | 'taxcalc',
): string {
  const letters = [...randomBytes(24)].map((byte) => alphabet[byte % alphabet.length])
  return `${prefix}_${letters.join('')}`
}
