import type { Currency } from '@tidemark/schemas/money.ts'
import Stripe from 'stripe'
import { Failure } from '../process/failure.ts'
import { minorOfStripe, stripeAmount } from './amounts.ts'
import { calling, createStripeClient, type StripeClientOptions } from './client.ts'

export type TaxAddress = {
  country: string
  region?: string | undefined
  postalCode?: string | undefined
  city?: string | undefined
  line1?: string | undefined
  line2?: string | undefined
}

export type TaxQuestion = {
  /** What it is for, in failures. */
  name: string
  currency: Currency
  /** Seconds since 1970; Stripe takes 31 days around now. */
  taxDate: number
  /** Whether amounts contain the tax. */
  inclusive: boolean
  address: TaxAddress
  taxIds: readonly { type: string; value: string }[]
  override: 'none' | 'customer_exempt' | 'reverse_charge'
  /** At most taxLinesMost; references are unique. */
  lines: readonly { reference: string; amountMinor: bigint; taxCode?: string | undefined }[]
}

export type TaxFinding = {
  amountMinor: bigint
  /** Percent as decimal text. */
  rate: string
  /** Such as `vat`; empty where no tax is imposed. */
  type: string
  jurisdiction: { country: string; state: string; level: string; name: string }
  /** Stripe's taxability_reason. */
  reason: string
}

export type TaxedReference = { reference: string; findings: TaxFinding[] }

/**
 * Stripe Tax in our words. A question moves no money, so that it may be asked again whenever it failed: it is sent without
 * an idempotency key, under which an answer of 500 would be kept for a day.
 */
export type TaxCalculator = {
  /** @throws Failure; retryable when asking again can help */
  calculate(question: TaxQuestion): Promise<TaxedReference[]>
}

/** https://docs.stripe.com/api/tax/calculations/create: lines of one calculation. */
export const taxLinesMost = 100

/** The version of the API that answers are read by: the client's own. */
export const taxApiVersion: string = Stripe.API_VERSION

export function createStripeTaxCalculator(options: StripeClientOptions): TaxCalculator {
  const stripe = createStripeClient(options)
  return {
    calculate: (question) =>
      calling(`the tax calculation of ${question.name}`, async () => {
        const calculation = await stripe.tax.calculations.create(paramsOf(question))
        return (calculation.line_items?.data ?? []).map((line) => readLine(line, question.currency))
      }),
  }
}

function paramsOf(question: TaxQuestion): Stripe.Tax.CalculationCreateParams {
  const { address, inclusive, currency } = question
  return {
    currency: currency.toLowerCase(),
    tax_date: question.taxDate,
    customer_details: {
      address: {
        country: address.country,
        ...(address.region === undefined ? {} : { state: address.region }),
        ...(address.postalCode === undefined ? {} : { postal_code: address.postalCode }),
        ...(address.city === undefined ? {} : { city: address.city }),
        ...(address.line1 === undefined ? {} : { line1: address.line1 }),
        ...(address.line2 === undefined ? {} : { line2: address.line2 }),
      },
      address_source: 'billing',
      tax_ids: question.taxIds.map(({ type, value }) => ({ type, value })),
      taxability_override: question.override,
    },
    line_items: question.lines.map(({ reference, amountMinor, taxCode }) => ({
      reference,
      amount: amountOf(amountMinor, currency),
      tax_behavior: inclusive ? 'inclusive' : 'exclusive',
      ...(taxCode === undefined ? {} : { tax_code: taxCode }),
    })),
    expand: ['line_items.data.tax_breakdown'],
  }
}

const readLine = (line: Stripe.Tax.CalculationLineItem, currency: Currency): TaxedReference => ({
  reference: line.reference,
  findings: (line.tax_breakdown ?? []).map(
    ({ amount, jurisdiction, tax_rate_details, taxability_reason }) => ({
      amountMinor: minorOfStripe(BigInt(amount), currency),
      rate: tax_rate_details?.percentage_decimal ?? '0',
      type: tax_rate_details?.tax_type ?? '',
      jurisdiction: {
        country: jurisdiction.country,
        state: jurisdiction.state ?? '',
        level: jurisdiction.level,
        name: jurisdiction.display_name,
      },
      reason: taxability_reason,
    }),
  ),
})

function amountOf(amountMinor: bigint, currency: Currency): number {
  const amount = stripeAmount(amountMinor, currency)
  if (amount > 0n && amount <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(amount)
  throw new Failure(
    `A line of ${amountMinor} minor units of ${currency} is beyond what tax can be asked for.`,
    {
      code: 'processor_refused_request',
      retryable: false,
    },
  )
}
