import { createHash } from 'node:crypto'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { type Cut, formatCut } from '@tidemark/schemas/cut.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { Draft, DraftLine } from '../invoicing/compose.ts'
import { catalogueJson, phasesJson } from './certified-catalogue.ts'
import { mappingJson, usageJson } from './certified-usage.ts'
import { readingOf } from './due.ts'
import type { OffsetRange } from './ledger-gaps.ts'
import { redemptionsOf } from './rows.ts'

/** Names the code that rates and certifies; raised whenever the same input would give another document. */
export const codeVersion = 'invoicer-2'

export type NumberedInvoice = { readonly id: string; readonly number: string; readonly issuedOn: string }

export type Certificate = { readonly document: string; readonly sha256: string }

/**
 * What an invoice rests on, as canonical JSON: whoever has the raw events, the meters and the catalogue computes the same
 * bytes. People appear by their keys only, so that an erasure changes no hash.
 */
export function certify(
  tenant: string,
  invoice: NumberedInvoice,
  draft: Draft,
  cut: Cut,
  lost: readonly OffsetRange[],
): Certificate {
  const { due } = draft
  const reading = readingOf(due)
  const document = canonicalJson({
    version: 2,
    code: codeVersion,
    tenant,
    invoice: { ...invoice },
    kind: due.kind,
    customer: due.subscription.customer,
    subscription: due.subscription.key,
    timeZone: due.subscription.timeZone,
    period: formatPeriod(due.period),
    interval: formatPeriod(due.whole),
    cut: formatCut(cut),
    hashes: { events: 'siphash128-sum', payload: 'xxh64x2' },
    lost: lost.map(({ log, partition, first, last }) => ({
      log,
      partition,
      first: `${first}`,
      last: `${last}`,
    })),
    phases: phasesJson(draft, reading),
    ...catalogueJson(draft, reading),
    mapping: mappingJson(draft.usage),
    usage: draft.usage.map(usageJson),
    ...amountsJson(draft),
  })
  return { document, sha256: createHash('sha256').update(document).digest('hex') }
}

/** What the inputs come to, step by step. */
function amountsJson(draft: Draft): { [key: string]: Json } {
  const { invoice, commitments, tax, spentMicros } = draft
  const { currency } = draft.due.subscription
  const money = (micros: bigint) => formatMicros(micros, currency)
  return {
    currency,
    commitments: commitments.map(
      ({ id, minimumMicros, maximumMicros, factor, alreadyMicros, appliesTo }) => ({
        id: id ?? '',
        ...(minimumMicros === undefined ? {} : { minimum: money(minimumMicros) }),
        ...(maximumMicros === undefined ? {} : { maximum: money(maximumMicros) }),
        ...(factor === undefined ? {} : { factor: `${factor.numerator}/${factor.denominator}` }),
        already: money(alreadyMicros ?? 0n),
        ...(appliesTo === undefined ? {} : { lines: [...appliesTo] }),
      }),
    ),
    spent: money(spentMicros),
    redemptions: redemptionsOf(draft).map(({ coupon, sequence, amountMicros }) => ({
      coupon,
      sequence,
      amount: money(amountMicros),
    })),
    tax: {
      provider: tax.answer.provider,
      version: tax.answer.version,
      request: tax.requestSha256,
      lines: tax.answer.lines.map(({ id, taxes }) => ({
        id,
        taxes: taxes.map(({ id: taxId, rate, amountMicros, reason }) => ({
          id: taxId,
          rate: formatDecimal(rate),
          ...(amountMicros === undefined ? {} : { amount: money(amountMicros) }),
          ...(reason === undefined ? {} : { reason }),
        })),
      })),
    },
    lines: draft.lines.map((line) => lineJson(line, money)),
    taxes: invoice.taxes.map(({ id, rate, baseMicros, amountMicros }) => ({
      id,
      rate: formatDecimal(rate),
      base: money(baseMicros),
      amount: money(amountMicros),
    })),
    discount: money(invoice.discountTotalMicros),
    net: money(invoice.netTotalMicros),
    taxTotal: money(invoice.taxTotalMicros),
    total: money(invoice.totalMicros),
    amountDue: money(invoice.amountDueMicros),
  }
}

const lineJson = (line: DraftLine, money: (micros: bigint) => string): { [key: string]: Json } => ({
  kind: line.kind,
  price: line.price ?? '',
  model: line.model,
  description: line.description,
  source: { ...line.source },
  service: formatPeriod(line.service),
  ...(line.usage ? { meter: line.usage.meter } : {}),
  ...(line.quantity === undefined ? {} : { quantity: formatDecimal(line.quantity) }),
  amount: money(line.amountMicros),
  cap: money(line.capMicros),
  discount: money(line.discountMicros),
  net: money(line.netMicros),
  tax: money(line.taxMicros),
})
