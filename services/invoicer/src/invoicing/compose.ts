import type { Micros } from '@tidemark/schemas/money.ts'
import type {
  ChargeLine,
  Commitment,
  NetInvoice,
  PricedInvoice,
  PricedLine,
} from '../pricing/priced-invoice.ts'
import { netInvoice, totalInvoice } from '../pricing/totals.ts'
import { advanceFees } from './advance.ts'
import { chargesOf } from './charges.ts'
import { commitmentsOf } from './commitments.ts'
import { couponsFor, discountOf } from './coupons.ts'
import type { DueInvoice } from './due-invoice.ts'
import type { Charge } from './line.ts'
import { magnitude, type RefusalReason, refusalOf, unstorable } from './refusal.ts'
import type { AttachedCoupon } from './subscription.ts'
import type { Taxed } from './tax.ts'
import { phaseOfPeriod, termsOfPeriod } from './terms.ts'
import type { ReadUsage } from './usage-needs.ts'

/** All that an invoice follows from, besides the answer about its tax. */
export type InvoiceInputs = {
  readonly due: DueInvoice
  /** One for each need of the period. */
  readonly usage: readonly ReadUsage[]
  /** What earlier invoices have charged of the term that ends with the period; nothing when none ends. */
  readonly spentMicros: Micros
}

/** An invoice up to its tax. */
export type NetDraft = InvoiceInputs & {
  readonly charges: readonly Charge[]
  readonly commitments: readonly Commitment[]
  readonly coupons: readonly AttachedCoupon[]
  readonly net: NetInvoice
}

export type DraftLine = Omit<Charge, 'taxes' | 'taxCode'> & PricedLine

/** An invoice as computed, before it has a number: preview, close and verification are the same up to here. */
export type Draft = Omit<NetDraft, 'net'> & {
  readonly tax: Taxed
  readonly invoice: PricedInvoice
  /** The charges in their order, then true-ups. */
  readonly lines: readonly DraftLine[]
}

/** Why one subscription’s period stays open while the others close. */
export type Refusal = RefusalReason & { readonly due: DueInvoice }

export const isRefusal = (result: object): result is Refusal => 'code' in result

/** From a subscription’s past, its catalogue and its usage to what is owed before tax: a pure function. */
export function composeNet(inputs: InvoiceInputs): NetDraft | Refusal {
  const { due, usage, spentMicros } = inputs
  const { subscription, period, whole } = due
  const refusal = refusalOf(due, usage)
  if (refusal) return { due, ...refusal }
  const charges = chargesOf(due, new Map(usage.map((read) => [read.need.id, read])))
  const alreadyMicros = advanceFees(subscription, period.start).reduce(
    (sum, fee) => sum + fee.amountMicros,
    0n,
  )
  const commitments =
    due.kind === 'advance'
      ? []
      : commitmentsOf(subscription, { served: period, whole }, charges, { alreadyMicros, spentMicros })
  const coupons = couponsFor(due)
  const tooLarge = unstorable([
    charges.reduce((sum, { amountMicros }) => sum + magnitude(amountMicros), 0n),
    ...commitments.map(({ minimumMicros = 0n }) => minimumMicros),
  ])
  if (tooLarge) return { due, ...tooLarge }
  const net = netInvoice(charges.map(chargeLine), commitments, coupons.map(discountOf), subscription.currency)
  return { ...inputs, charges, commitments, coupons, net }
}

const chargeLine = ({ id, price, amountMicros, committed, taxCode, taxes }: Charge): ChargeLine => ({
  id,
  price,
  amountMicros,
  committed,
  ...(taxCode === undefined ? {} : { taxCode }),
  ...(taxes === undefined ? {} : { taxes }),
})

/** Tax, then credits, and the lines with all that they come to. */
export function completeDraft({ net, ...draft }: NetDraft, tax: Taxed): Draft | Refusal {
  const { due, charges } = draft
  const { taxRounding, taxInclusive, inclusiveRounding } = termsOfPeriod(due)
  const invoice = totalInvoice(
    net,
    tax.answer,
    { taxRounding, taxInclusive, inclusiveRounding },
    due.subscription.currency,
  )
  const tooLarge = unstorable([invoice.totalMicros, ...invoice.lines.map(({ taxMicros }) => taxMicros)])
  if (tooLarge) return { due, ...tooLarge }
  if (invoice.totalMicros < 0n)
    return { due, code: 'negative_total', reason: 'credits exceed the charges: the total is below zero' }
  const byId = new Map(charges.map((charge) => [charge.id, charge]))
  const lines = invoice.lines.map((line): DraftLine => {
    const { taxes: _, taxCode: __, ...charge } = byId.get(line.id) ?? trueUp(due, line)
    return { ...charge, ...line }
  })
  return { ...draft, tax, invoice, lines }
}

/** The line that a minimum adds. */
function trueUp(due: DueInvoice, { id, amountMicros }: PricedLine): Charge {
  const { plan, planVersion } = phaseOfPeriod(due)
  return {
    id,
    kind: 'true-up',
    key: id,
    price: 'minimum',
    model: 'commitment',
    description: 'Minimum spend',
    source: { kind: 'plan', id: plan, version: planVersion },
    service: due.period,
    usage: undefined,
    quantity: undefined,
    amountMicros,
    committed: true,
    taxCode: undefined,
    taxes: undefined,
    trace: [],
  }
}
