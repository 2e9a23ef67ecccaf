import type { Currency, Micros } from '@tidemark/schemas/money.ts'
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
import type { Step } from './rated.ts'
import { computeTaxes, type TaxCell } from './taxation.ts'
import { major, traceOf } from './trace.ts'

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
    steps: [
      ...charges.map(({ id, amountMicros }) => ({
        step: 'charge',
        id,
        amount: major(amountMicros),
      })),
      ...committed.steps,
      ...discounted.steps,
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
  const steps = [...net.steps, ...stepsOf(taxes, totals)]
  return {
    ...net,
    lines,
    taxes,
    ...totals,
    steps,
    get trace() {
      return traceOf(steps)
    },
  }
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

const stepsOf = (taxes: readonly InvoiceTax[], totals: Readonly<Record<string, Micros>>): Step[] => [
  ...taxes.map(({ id, rate, baseMicros, amountMicros, reason }) => ({
    step: 'tax',
    id,
    rate,
    base: major(baseMicros),
    amount: major(amountMicros),
    ...(reason === undefined ? {} : { reason }),
  })),
  {
    step: 'total',
    ...Object.fromEntries(
      Object.entries(totals).map(([name, micros]) => [name.replace(/Micros$/, ''), major(micros)]),
    ),
  },
]

const sum = (values: readonly Micros[]): Micros => values.reduce((a, b) => a + b, 0n)
