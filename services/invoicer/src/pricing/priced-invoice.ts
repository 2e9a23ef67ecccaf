import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import type { Fraction, Step, TraceStep } from './rated.ts'

// What goes into an invoice's arithmetic and what comes out, in the order of the steps: charges, commitments, discounts,
// tax, credits. All amounts are micro-units of one currency, rounded to its minor unit.

/** One charge, rounded. */
export type ChargeLine = {
  readonly id: string
  readonly amountMicros: Micros
  /** The price it comes from: what discounts and commitments that name prices go by. */
  readonly price?: string
  /** Ids of the tenant's own rates, where a price names them. */
  readonly taxes?: readonly string[]
  readonly taxCode?: string
  /** Whether discounts apply; by default they do. A credit of a fee that was billed net of its discount says false. */
  readonly discountable?: boolean
  /** Whether it counts towards minimum and maximum; by default. Fees in advance of the next period do not. */
  readonly committed?: boolean
}

/** Minimum and maximum spend of a period, or of a longer term. */
export type Commitment = {
  /** Tells several apart: their true-ups are lines `true-up:<id>`; `true-up` without it. */
  readonly id?: string
  /** Ids of the lines or of the prices that count; all when left out. A plan change leaves each plan its own. */
  readonly appliesTo?: readonly string[]
  readonly minimumMicros?: Micros
  readonly maximumMicros?: Micros
  /** The served part of the period, by which both are prorated (rounded); the whole when it is left out. */
  readonly factor?: Fraction
  /** What earlier invoices of the same term have charged, true-ups and caps included. */
  readonly alreadyMicros?: Micros
  /** Tax ids and tax code of the true-up. */
  readonly taxes?: readonly string[]
  readonly taxCode?: string
}

export type Discount = {
  readonly id: string
  readonly type: 'percent' | 'fixed'
  /** Percent, or major units. */
  readonly value: Decimal
  /** Ids of lines or of prices; all lines when left out. */
  readonly appliesTo?: readonly string[]
  /** The most that is left of it, in major units. */
  readonly remaining?: Decimal
}

/** The id of the line that a minimum adds; it is discounted and taxed as others are. */
export const trueUpLine = 'true-up'

/** A charge with what commitments and discounts make of it. */
export type NetLine = ChargeLine & {
  /** Zero or negative: its share of what a maximum takes off. */
  readonly capMicros: Micros
  readonly discountMicros: Micros
  /** amount + cap − discount. With prices that contain the tax this still contains it. */
  readonly netMicros: Micros
}

export type AppliedDiscount = {
  readonly id: string
  readonly amountMicros: Micros
  readonly lines: readonly { readonly id: string; readonly amountMicros: Micros }[]
}

export type NetInvoice = {
  /** The charges in their order, then the true-up if there is one. */
  readonly lines: readonly NetLine[]
  readonly discounts: readonly AppliedDiscount[]
  /** Zero or more. */
  readonly trueUpMicros: Micros
  /** Zero or less: what the maximum takes off, all lines together. */
  readonly capMicros: Micros
  /** Charges, true-up and cap: before discounts. */
  readonly linesTotalMicros: Micros
  readonly discountTotalMicros: Micros
  readonly netTotalMicros: Micros
  /** The numbers of each step so far. */
  readonly steps: readonly Step[]
}

/** Why a line bears a tax of nothing. */
export type TaxReason = 'reverse_charge' | 'exempt' | 'not_collecting'

export type LineTax = {
  /** One id stands for one rate. */
  readonly id: string
  /** Percent. */
  readonly rate: Decimal
  /** What the provider says it comes to: taken as it is. Otherwise it is computed from the rate. */
  readonly amountMicros?: Micros
  readonly reason?: TaxReason
}

/** What a tax provider answers; an input of the invoice, and of its certificate. */
export type TaxAnswer = {
  readonly provider: string
  readonly version: string
  readonly lines: readonly { readonly id: string; readonly taxes: readonly LineTax[] }[]
}

export type TaxRounding = 'rate' | 'line' | 'invoice'

export type TotalOptions = {
  /** Where tax is rounded: once per rate (default), per line and rate, or once for the invoice. */
  readonly taxRounding?: TaxRounding
  /** Whether amounts contain the tax. */
  readonly taxInclusive?: boolean
  /** Of an amount that contains its tax: the part that is rounded (default net), the other is the rest. */
  readonly inclusiveRounding?: 'net' | 'tax'
  /** Credits and prepaid balance that may be used. */
  readonly availableCreditsMicros?: Micros
}

export type PricedLine = NetLine & {
  /** Without tax. */
  readonly netMicros: Micros
  readonly taxMicros: Micros
  readonly taxParts: readonly { readonly id: string; readonly amountMicros: Micros }[]
}

export type InvoiceTax = {
  readonly id: string
  readonly rate: Decimal
  /** The sum of the lines that bear it, without tax. */
  readonly baseMicros: Micros
  readonly amountMicros: Micros
  readonly reason?: TaxReason
}

export type PricedInvoice = Omit<NetInvoice, 'lines'> & {
  readonly lines: readonly PricedLine[]
  /** In the order in which lines name them. */
  readonly taxes: readonly InvoiceTax[]
  readonly taxTotalMicros: Micros
  /** net + tax. */
  readonly totalMicros: Micros
  /** Of the available credits what is used: never more than the total. */
  readonly creditsMicros: Micros
  /** total − credits; below zero when credit lines exceed the charges: then it is owed to the customer. */
  readonly amountDueMicros: Micros
  /** The numbers of each step as text; made when it is asked for. */
  readonly trace: readonly TraceStep[]
}
