import type { Currency } from '@tidemark/schemas/money.ts'
import Stripe from 'stripe'
import { Failure } from '../process/failure.ts'
import { stripeAmount } from './amounts.ts'
import { calling, createStripeClient, type StripeClientOptions } from './client.ts'
import { type ChargeOutcome, decisiveOutcome, outcomeOf } from './outcome.ts'
import { attemptMetadataKey, type ProcessorEvent, verifyWebhook } from './webhook.ts'

export type StripeProcessorOptions = StripeClientOptions & { webhookSecret: string }

export type ChargeRequest = {
  /** Our id of the attempt, stored before this call: idempotency key and metadata at once. */
  attemptId: string
  customerId: string
  paymentMethodId: string
  /** In the currency's ISO 4217 minor unit; what is asked for is `payableMinor` of it. */
  amountMinor: bigint
  currency: Currency
  metadata: Record<string, string>
}

/**
 * The payment processor in our words. Every function throws a `Failure` whose `retryable` says whether trying again
 * can help; `processor_outcome_unknown` additionally demands that `findByAttempt` is asked first.
 */
export type PaymentProcessor = {
  createCustomer(customer: {
    /** Our id; a repeated call within a day gives the same customer. */
    customerId: string
    name: string
    email?: string
  }): Promise<{ processorCustomerId: string }>
  attachPaymentMethod(request: {
    processorCustomerId: string
    paymentMethodId: string
  }): Promise<{ paymentMethodId: string }>
  chargeOffSession(request: ChargeRequest): Promise<ChargeOutcome>
  /** `createdAfter` in milliseconds: when the attempt was stored. */
  findByAttempt(attempt: {
    attemptId: string
    customerId: string
    createdAfter: number
  }): Promise<ChargeOutcome | undefined>
  /** Makes sure that an open intent never captures; a Failure if it is past that. */
  cancel(intentId: string): Promise<ChargeOutcome>
  /** `now` in milliseconds. */
  verifyWebhook(
    rawBody: string | Uint8Array,
    signatureHeader: string | undefined,
    now: number,
  ): ProcessorEvent
}

/** The processor's clock may differ from ours by this much when intents are looked for by time. */
const clockSkewSeconds = 300
/** More intents of one customer after one instant than this mean that something else is wrong. */
const searchMost = 10_000
const greatestAmountMinor = 99_999_999n

export function createStripeProcessor(options: StripeProcessorOptions): PaymentProcessor {
  const stripe = createStripeClient(options)

  return {
    createCustomer: ({ customerId, name, email }) =>
      calling('the customer', async () => {
        const created = await stripe.customers.create(
          { name, ...(email === undefined ? {} : { email }), metadata: { tidemark_customer: customerId } },
          { idempotencyKey: `customer-${customerId}` },
        )
        return { processorCustomerId: created.id }
      }),

    attachPaymentMethod: ({ processorCustomerId, paymentMethodId }) =>
      calling('the payment method', async () => {
        const attached = await stripe.paymentMethods.attach(paymentMethodId, {
          customer: processorCustomerId,
        })
        return { paymentMethodId: attached.id }
      }),

    chargeOffSession: (request) => calling(`attempt ${request.attemptId}`, () => charge(stripe, request)),

    findByAttempt: ({ attemptId, customerId, createdAfter }) =>
      calling(`the question about attempt ${attemptId}`, async () => {
        const gte = Math.floor(createdAfter / 1_000) - clockSkewSeconds
        const intents = await stripe.paymentIntents
          .list({ customer: customerId, created: { gte }, limit: 100 })
          .autoPagingToArray({ limit: searchMost })
        const ours = intents.filter((intent) => intent.metadata[attemptMetadataKey] === attemptId)
        if (ours.length === 0 && intents.length >= searchMost) throw searchIncomplete(attemptId, customerId)
        return decisiveOutcome(ours.map(outcomeOf))
      }),

    cancel: (intentId) =>
      calling(`the cancellation of ${intentId}`, async () =>
        outcomeOf(await stripe.paymentIntents.cancel(intentId)),
      ),

    verifyWebhook: (rawBody, signatureHeader, now) =>
      verifyWebhook(rawBody, signatureHeader, options.webhookSecret, now),
  }
}

/**
 * Creates and confirms in one call, so that an attempt is one request under one idempotency key. A decline is an
 * outcome, not a Failure: the intent comes inside the error (https://docs.stripe.com/declines).
 */
async function charge(stripe: Stripe, request: ChargeRequest): Promise<ChargeOutcome> {
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: amountOf(stripeAmount(request.amountMinor, request.currency)),
        currency: request.currency.toLowerCase(),
        customer: request.customerId,
        payment_method: request.paymentMethodId,
        confirm: true,
        off_session: true,
        metadata: { ...request.metadata, [attemptMetadataKey]: request.attemptId },
      },
      { idempotencyKey: request.attemptId },
    )
    return outcomeOf(intent)
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError && error.payment_intent !== undefined) {
      return outcomeOf(error.payment_intent)
    }
    throw error
  }
}

/** Beyond Stripe's own limit a number is refused here, so that the conversion is always exact. */
function amountOf(amountMinor: bigint): number {
  if (amountMinor > 0n && amountMinor <= greatestAmountMinor) return Number(amountMinor)
  const tooSmall = amountMinor <= 0n
  throw new Failure(
    `The amount ${amountMinor} cannot be charged: it must lie between 1 and ${greatestAmountMinor} minor units.`,
    { code: tooSmall ? 'processor_amount_too_small' : 'processor_amount_too_large', retryable: false },
  )
}

/** Not to have found it among so many does not mean that it is not there. */
function searchIncomplete(attemptId: string, customerId: string): Failure {
  return new Failure(
    `Attempt ${attemptId} is not among the first ${searchMost} payment intents of customer ${customerId}. Look for it by hand before anything is repeated.`,
    { code: 'processor_search_incomplete', retryable: false },
  )
}
