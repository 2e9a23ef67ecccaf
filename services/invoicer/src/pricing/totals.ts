import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { type Currency, formatMicros, type Micros } from '@tidemark/schemas/money.ts'
import { applyCommitments } from './commitments.ts'
import { usableCredits } from './credits.ts'
import { applyDiscounts } from './discounts.ts'
import type {
  ChargeLine,
  Commitment,
  Discount,
  InvoiceTax,
  NetInvoice,
  PricedInvoice,
  PricedLine,
  TaxAnswer,
  TotalOptions,
} from './priced-invoice.ts'
import type { TraceStep } from './rated.ts'
import { computeTaxes, type TaxCell } from './taxation.ts'

/** The first half of an invoice's order: charges, then minimum and maximum, then discounts. Tax is asked for the result. */
export function netInvoice(
  charges: readonly ChargeLine[],
  commitments: readonly Commitment[],
  discounts: readonly Discount[],
  currency: Currency,
): NetInvoice {
  const committed = applyCommitments(charges, commitments, currency)
  const discounted = applyDiscounts(committed.lines, discounts, currency)
  const linesTotalMicros = sum(committed.lines.map((line) => line.amountMicros + line.capMicros))
  return {
    lines: discounted.lines,
    discounts: discounted.discounts,
    trueUpMicros: committed.trueUpMicros,
    capMicros: committed.capMicros,
    linesTotalMicros,
    discountTotalMicros: discounted.totalMicros,
    netTotalMicros: linesTotalMicros - discounted.totalMicros,
    trace: [
      ...charges.map(({ id, amountMicros }) => ({
        step: 'charge',
        id,
        amount: formatMicros(amountMicros, currency),
      })),
      ...committed.trace,
      ...discounted.trace,
    ],
  }
}

/** The second half: tax, then credits and prepaid balance. Lines sum to the totals, also where amounts contain the tax. */
export function totalInvoice(
  net: NetInvoice,
  answer: TaxAnswer,
  options: TotalOptions,
  currency: Currency,
): PricedInvoice {
  const cells = computeTaxes(net.lines, answer, options, currency)
  const byLine = Map.groupBy(cells, ({ line }) => line)
  const lines = net.lines.map((line, index): PricedLine => {
    const parts = byLine.get(index) ?? []
    const taxMicros = sum(parts.map(({ amountMicros }) => amountMicros))
    return {
      ...line,
      netMicros: options.taxInclusive ? line.netMicros - taxMicros : line.netMicros,
      taxMicros,
      taxParts: parts.map(({ tax, amountMicros }) => ({ id: tax.id, amountMicros })),
    }
  })
  const taxes = taxesOf(cells, lines)
  const netTotalMicros = sum(lines.map(({ netMicros }) => netMicros))
  const taxTotalMicros = sum(cells.map(({ amountMicros }) => amountMicros))
  const totalMicros = netTotalMicros + taxTotalMicros
  const creditsMicros = usableCredits(totalMicros, options.availableCreditsMicros ?? 0n)
  const totals = {
    netTotalMicros,
    taxTotalMicros,
    totalMicros,
    creditsMicros,
    amountDueMicros: totalMicros - creditsMicros,
  }
  return { ...net, lines, taxes, ...totals, trace: [...net.trace, ...traceOf(taxes, totals, currency)] }
}

function taxesOf(cells: readonly TaxCell[], lines: readonly PricedLine[]): InvoiceTax[] {
  return [...Map.groupBy(cells, ({ tax }) => tax.id).values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const { id, rate, reason } = first.tax
    return [
      {
        id,
        rate,
        baseMicros: sum(group.map(({ line }) => lines[line]?.netMicros ?? 0n)),
        amountMicros: sum(group.map(({ amountMicros }) => amountMicros)),
        ...(reason === undefined ? {} : { reason }),
      },
    ]
  })
}

function traceOf(
  taxes: readonly InvoiceTax[],
  totals: Readonly<Record<string, Micros>>,
  currency: Currency,
): TraceStep[] {
  return [
    ...taxes.map(({ id, rate, baseMicros, amountMicros, reason }) => ({
      step: 'tax',
      id,
      rate: formatDecimal(rate),
      base: formatMicros(baseMicros, currency),
      amount: formatMicros(amountMicros, currency),
      ...(reason === undefined ? {} : { reason }),
    })),
    {
      step: 'total',
      ...Object.fromEntries(
        Object.entries(totals).map(([name, micros]) => [
          name.replace(/Micros$/, ''),
          formatMicros(micros, currency),
        ]),
      ),
    },
  ]
}

const sum = (values: readonly Micros[]): Micros => values.reduce((a, b) => a + b, 0n)
