import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { decimal, multiply } from '@tidemark/schemas/decimal.ts'
import { type Currency, formatMicros, type Micros } from '@tidemark/schemas/money.ts'
import type { Static } from 'typebox'
import { partOfDecimal, partOfMicros, whole } from '../fraction.ts'
import type { ChargeLine, Commitment, NetInvoice, PricedInvoice, TaxAnswer } from '../priced-invoice.ts'
import { trueUpLine } from '../priced-invoice.ts'
import { proration } from '../proration.ts'
import type { Fraction } from '../rated.ts'
import { netInvoice, totalInvoice } from '../totals.ts'
import { createDateReader, type DateReader } from './dates.ts'
import { invoiceBody } from './invoice-body.ts'
import { type PreviewAnswer, previewKind } from './kind.ts'

type Body = Static<typeof invoiceBody>
type Served = Pick<Body['lines'][number], 'period' | 'service'>

/** Charges, then minimum and maximum, then discounts, then tax, then credits: the order of every invoice. */
export const invoicePreview = previewKind(invoiceBody, (body) => {
  const { currency, convention, credits, taxInclusive = false } = body
  const reader = createDateReader(body.timeZone, convention?.dayCount)
  const part = partReader(reader, convention?.dayCount)
  const faults = faultsOf(body)
  const lines = body.lines.map((line, index) => readLine(line, part(line, `lines.${index}`), currency))
  const commitments =
    body.commitment === undefined
      ? []
      : [readCommitment(body.commitment, part(body.commitment, 'commitment'), currency)]
  if (reader.faults.length + faults.length > 0) return { faults: [...reader.faults, ...faults] }
  const discounts = (body.discounts ?? []).map(({ type, value, remaining, ...discount }) => ({
    ...discount,
    type: type === 'percentage' ? ('percent' as const) : type,
    value: decimal(value),
    ...(remaining === undefined ? {} : { remaining: decimal(remaining) }),
  }))
  const net = netInvoice(lines, commitments, discounts, currency)
  const { taxRounding = 'rate', inclusiveRounding = 'net' } = convention ?? {}
  const available = credits === undefined ? 0n : partOfDecimal(decimal(credits), whole, currency)
  const options = { taxRounding, inclusiveRounding, taxInclusive, availableCreditsMicros: available }
  const priced = totalInvoice(net, taxAnswer(net, body), options, currency)
  return { answer: answerOf(priced, body, currency) }
})

/** What is served of a full period; all of it where no dates are given. */
const partReader =
  (reader: DateReader, dayCount: 'half-open' | 'inclusive' | 'fixed30' | 'second' = 'half-open') =>
  ({ period, service }: Served, field: string): Fraction => {
    if (period === undefined || service === undefined) return whole
    const full = reader.period(`${field}.period`, period)
    const served = reader.period(`${field}.service`, service)
    if (reader.faults.length > 0) return whole
    return proration(full, served, { dayCount, timeZone: reader.timeZone })
  }

function readLine(line: Body['lines'][number], part: Fraction, currency: Currency): ChargeLine {
  const { id, amount, quantity = '1', unitPrice = '0', taxes } = line
  const exact = amount === undefined ? multiply(decimal(quantity), decimal(unitPrice)) : decimal(amount)
  return { id, amountMicros: partOfDecimal(exact, part, currency), ...(taxes ? { taxes } : {}) }
}

function readCommitment(
  { minimum, maximum, taxes }: NonNullable<Body['commitment']>,
  factor: Fraction,
  currency: Currency,
): Commitment {
  const micros = (text: string) => partOfDecimal(decimal(text), whole, currency)
  return {
    factor,
    ...(minimum === undefined ? {} : { minimumMicros: micros(minimum) }),
    ...(maximum === undefined ? {} : { maximumMicros: micros(maximum) }),
    ...(taxes ? { taxes } : {}),
  }
}

/** The rates that the lines name, as a provider would answer them. */
function taxAnswer(net: NetInvoice, { taxes = [] }: Body): TaxAnswer {
  const rates = new Map(taxes.map(({ id, rate }) => [id, decimal(rate)]))
  const lines = net.lines.map(({ id, taxes: named = [] }) => ({
    id,
    taxes: named.flatMap((tax) => {
      const rate = rates.get(tax)
      return rate === undefined ? [] : [{ id: tax, rate }]
    }),
  }))
  return { provider: 'preview', version: '1', lines }
}

/** What the shape cannot say: lines told apart, one form of amount each, ids that exist. */
function faultsOf({ lines, discounts = [], taxes = [], commitment }: Body): FieldError[] {
  const known = new Set(taxes.map(({ id }) => id))
  const ids = new Set([...lines.map(({ id }) => id), trueUpLine])
  const unknownTaxes = (field: string, named: readonly string[] = []) =>
    named.flatMap((id, index) =>
      known.has(id) ? [] : [{ field: `${field}.${index}`, reason: `there is no tax "${id}" in taxes` }],
    )
  return [
    ...twice('lines', lines),
    ...twice('taxes', taxes),
    ...twice('discounts', discounts),
    ...lines.flatMap(({ amount, quantity, unitPrice, period, service, taxes: named }, index) => [
      ...((amount === undefined) === (quantity === undefined && unitPrice === undefined)
        ? [{ field: `lines.${index}.amount`, reason: 'give either amount, or quantity and unitPrice' }]
        : []),
      ...halfServed(`lines.${index}`, { period, service }),
      ...unknownTaxes(`lines.${index}.taxes`, named),
    ]),
    ...discounts.flatMap(({ appliesTo = [] }, index) =>
      appliesTo.flatMap((id, at) =>
        ids.has(id)
          ? []
          : [{ field: `discounts.${index}.appliesTo.${at}`, reason: `there is no line "${id}"` }],
      ),
    ),
    ...(commitment === undefined
      ? []
      : [...halfServed('commitment', commitment), ...unknownTaxes('commitment.taxes', commitment.taxes)]),
  ]
}

const halfServed = (
  field: string,
  { period, service }: { period?: unknown; service?: unknown },
): FieldError[] =>
  (period === undefined) === (service === undefined)
    ? []
    : [
        {
          field: `${field}.${period === undefined ? 'period' : 'service'}`,
          reason: 'is missing: a part needs both',
        },
      ]

const twice = (field: string, items: readonly { readonly id: string }[]): FieldError[] =>
  items.flatMap(({ id }, index) =>
    items.findIndex((each) => each.id === id) === index
      ? []
      : [{ field: `${field}.${index}.id`, reason: `"${id}" stands already in ${field}; each needs its own` }],
  )

function answerOf(priced: PricedInvoice, { commitment }: Body, currency: Currency): PreviewAnswer {
  const shown = (micros: Micros) => formatMicros(micros, currency)
  const unitRate = commitment?.pricingUnitRate
  const rateOf = (rate: string): Fraction => {
    const { coefficient, scale } = decimal(rate)
    return { numerator: coefficient, denominator: 10n ** BigInt(scale) }
  }
  return {
    lines: priced.lines.map((line) => ({
      id: line.id,
      amount: shown(line.amountMicros),
      cap: shown(line.capMicros),
      discount: shown(line.discountMicros),
      net: shown(line.netMicros),
      tax: shown(line.taxMicros),
    })),
    discounts: priced.discounts.map(({ id, amountMicros }) => ({ id, amount: shown(amountMicros) })),
    taxes: priced.taxes.map(({ id, baseMicros, amountMicros }) => ({
      id,
      base: shown(baseMicros),
      amount: shown(amountMicros),
    })),
    trueUp: shown(priced.trueUpMicros),
    ...(unitRate === undefined
      ? {}
      : { trueUpInCurrency: shown(partOfMicros(priced.trueUpMicros, rateOf(unitRate), currency)) }),
    capAdjustment: shown(priced.capMicros),
    linesTotal: shown(priced.linesTotalMicros),
    discountTotal: shown(priced.discountTotalMicros),
    netTotal: shown(priced.netTotalMicros),
    taxTotal: shown(priced.taxTotalMicros),
    total: shown(priced.totalMicros),
    credits: shown(priced.creditsMicros),
    amountDue: shown(priced.amountDueMicros),
    trace: priced.trace,
  }
}
