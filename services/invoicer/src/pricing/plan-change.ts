import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Decimal, formatDecimal, multiply } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { formatFraction, partOfDecimal, whole } from './fraction.ts'
import { type ProrationTerms, proration } from './proration.ts'
import type { Fraction, TraceStep } from './rated.ts'
import { major, traceOf } from './trace.ts'

/** A fee that was billed in advance, or would have been. Usage is billed as it is used and takes no part in this. */
export type ChangedItem = {
  readonly id: string
  readonly type: 'recurring' | 'one-time' | 'usage'
  readonly quantity: Decimal
  readonly unitPrice: Decimal
  /** When it has a full period of its own; the change's otherwise. */
  readonly period?: BillingPeriod
}

export type PlanChange = {
  readonly period: BillingPeriod
  /** From here on the new state is in force. */
  readonly at: Micros1970
  readonly from: readonly ChangedItem[]
  readonly to: readonly ChangedItem[]
}

export type ChangeLine = {
  readonly item: string
  readonly kind: 'credit' | 'charge'
  /** A credit is negative. */
  readonly amountMicros: Micros
  readonly factor: Fraction
}

export type ChangeLines = {
  readonly lines: readonly ChangeLine[]
  readonly creditMicros: Micros
  readonly chargeMicros: Micros
  readonly netMicros: Micros
  readonly trace: readonly TraceStep[]
}

/**
 * What a change within a period that was paid in advance costs: for each item before it a rounded credit of the time that
 * is left, for each item after it a rounded charge; the net is their sum. One-time items are charged whole and never
 * given back. Items that stay as they are, and lines of nothing, are left out.
 */
export function changePlan(change: PlanChange, terms: ProrationTerms, currency: Currency): ChangeLines {
  const { from, to } = change
  const kept = (item: ChangedItem, others: readonly ChangedItem[]) =>
    others.some((other) => isSame(item, other))
  const priced = [
    ...from
      .filter((item) => item.type === 'recurring' && !kept(item, to))
      .map((item) => lineOf(item, 'credit', change, terms, currency)),
    ...to
      .filter((item) => item.type !== 'usage' && !kept(item, from))
      .map((item) => lineOf(item, 'charge', change, terms, currency)),
  ]
  const lines = priced.filter(({ amountMicros }) => amountMicros !== 0n)
  const total = (kind: ChangeLine['kind']) =>
    lines.filter((line) => line.kind === kind).reduce((sum, { amountMicros }) => sum + amountMicros, 0n)
  const creditMicros = total('credit')
  const chargeMicros = total('charge')
  return {
    lines,
    creditMicros,
    chargeMicros,
    netMicros: creditMicros + chargeMicros,
    get trace() {
      return traceOf(
        lines.map(({ item, kind, factor, amountMicros }) => ({
          step: kind,
          item,
          factor: formatFraction(factor),
          amount: major(amountMicros),
        })),
      )
    },
  }
}

function lineOf(
  item: ChangedItem,
  kind: ChangeLine['kind'],
  change: PlanChange,
  terms: ProrationTerms,
  currency: Currency,
): ChangeLine {
  const period = item.period ?? change.period
  const factor =
    item.type === 'one-time' ? whole : proration(period, { start: change.at, end: period.end }, terms)
  const amount = partOfDecimal(multiply(item.quantity, item.unitPrice), factor, currency)
  return { item: item.id, kind, amountMicros: kind === 'credit' ? -amount : amount, factor }
}

const isSame = (a: ChangedItem, b: ChangedItem): boolean =>
  a.id === b.id &&
  a.type === b.type &&
  formatDecimal(a.quantity) === formatDecimal(b.quantity) &&
  formatDecimal(a.unitPrice) === formatDecimal(b.unitPrice) &&
  a.period?.start === b.period?.start &&
  a.period?.end === b.period?.end
