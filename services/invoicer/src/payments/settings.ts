import { type Static, Type } from 'typebox'

/** The part of the configuration that is about collecting; spread into configSchema. */
export const paymentSettings = {
  INVOICER_COLLECTION_ENABLED: Type.Boolean({
    default: true,
    description:
      'Whether open invoices are charged by themselves. Off, only POST /v1/invoices/{id}/collect charges; attempts that have begun are brought to their end all the same.',
  }),
  INVOICER_COLLECTION_INTERVAL_MS: Type.Integer({
    default: 500,
    minimum: 10,
    maximum: 3_600_000,
    description: 'How often open invoices and waiting attempts are looked for.',
  }),
  INVOICER_COLLECTION_CONCURRENCY: Type.Integer({
    default: 8,
    minimum: 1,
    maximum: 100,
    description: 'Charges under way at a time; below what the payment processor allows in a second.',
  }),
  INVOICER_PAYMENT_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 50,
    maximum: 120_000,
    description:
      'How long an answer of the payment processor is awaited; after four times this another invoicer takes an attempt over.',
  }),
  INVOICER_PAYMENT_RETRY_MIN_MS: Type.Integer({
    default: 1_000,
    minimum: 1,
    maximum: 3_600_000,
    description:
      'Wait before an attempt without an outcome is asked about the first time; doubles each time.',
  }),
  INVOICER_PAYMENT_RETRY_MAX_MS: Type.Integer({
    default: 300_000,
    minimum: 1,
    maximum: 86_400_000,
    description: 'The longest of these waits.',
  }),
  INVOICER_PAYMENT_ASK_EVERY_MS: Type.Integer({
    default: 900_000,
    minimum: 10,
    maximum: 86_400_000,
    description:
      'How often a payment that waits for the cardholder or the bank is asked about, in case its webhook was lost.',
  }),
}

const schema = Type.Object(paymentSettings)
export type PaymentConfig = Static<typeof schema>
