import { decimal, multiply } from '@tidemark/schemas/decimal.ts'
import { type Static, Type } from 'typebox'
import { partOfDecimal, whole } from '../pricing/fraction.ts'
import {
  type ChargeLine,
  type Discount,
  type NetInvoice,
  type PricedInvoice,
  type TaxAnswer,
  trueUpLine,
} from '../pricing/priced-invoice.ts'
import { netInvoice, totalInvoice } from '../pricing/totals.ts'
import {
  amountFields,
  closed,
  exactAmountOf,
  factorOf,
  idField,
  numberField,
  proratedFields,
  roundedOf,
  show,
  type VectorContext,
  VectorFault,
} from './input.ts'

const taxIds = Type.Optional(Type.Array(idField, { maxItems: 10 }))
const lineSchema = Type.Object({ id: idField, ...amountFields, taxes: taxIds, ...proratedFields }, closed)
const discountSchema = Type.Object(
  {
    id: idField,
    type: Type.Enum(['percentage', 'percent', 'fixed']),
    value: numberField,
    remaining: Type.Optional(numberField),
    appliesTo: Type.Optional(Type.Array(idField, { maxItems: 1000 })),
  },
  closed,
)
const commitmentSchema = Type.Object(
  {
    minimum: Type.Optional(numberField),
    maximum: Type.Optional(numberField),
    taxes: taxIds,
    pricingUnitRate: Type.Optional(numberField),
    ...proratedFields,
  },
  closed,
)

export const invoiceFields = {
  lines: Type.Array(lineSchema, { maxItems: 1000 }),
  discounts: Type.Optional(Type.Array(discountSchema, { maxItems: 100 })),
  taxes: Type.Optional(
    Type.Array(Type.Object({ id: idField, rate: numberField }, closed), { maxItems: 100 }),
  ),
  commitment: Type.Optional(commitmentSchema),
  credits: Type.Optional(numberField),
  taxInclusive: Type.Optional(Type.Boolean()),
}
const schema = Type.Object(invoiceFields)
type InvoiceInput = Static<typeof schema>

export function previewInvoice(input: InvoiceInput, context: VectorContext) {
  const { currency, convention } = context
  const { taxRounding = 'rate', inclusiveRounding = 'net' } = convention
  const charges = chargesOf(input, context)
  const commitments = input.commitment === undefined ? [] : [commitmentOf(input.commitment, context)]
  const net = netInvoice(charges, commitments, (input.discounts ?? []).map(discountOf), currency)
  const invoice = totalInvoice(
    net,
    answerOf(net, input),
    {
      taxRounding,
      inclusiveRounding,
      taxInclusive: input.taxInclusive ?? false,
      availableCreditsMicros: roundedOf(input.credits ?? '0', currency),
    },
    currency,
  )
  const rate = input.commitment?.pricingUnitRate
  const trueUp = { coefficient: invoice.trueUpMicros, scale: 6 }
  return {
    ...showInvoice(invoice),
    // Commitments held in units of the tenant's own are worth money at their rate.
    ...(rate !== undefined && {
      trueUpInCurrency: show(partOfDecimal(multiply(trueUp, decimal(rate)), whole, currency)),
    }),
    trace: invoice.trace,
  }
}

function chargesOf({ lines }: InvoiceInput, { currency, convention }: VectorContext): ChargeLine[] {
  const ids = new Set([trueUpLine])
  return lines.map((line, index) => {
    const field = `lines[${index}]`
    if (ids.has(line.id))
      throw new VectorFault(`${field}.id`, `is "${line.id}" again: ids of lines are unique`)
    ids.add(line.id)
    const factor = factorOf(line, convention, field)
    const amountMicros = partOfDecimal(exactAmountOf(line, field), factor, currency)
    return { id: line.id, amountMicros, ...(line.taxes && { taxes: line.taxes }) }
  })
}

function commitmentOf(commitment: Static<typeof commitmentSchema>, context: VectorContext) {
  const { minimum, maximum, taxes } = commitment
  return {
    ...(minimum !== undefined && { minimumMicros: roundedOf(minimum, context.currency) }),
    ...(maximum !== undefined && { maximumMicros: roundedOf(maximum, context.currency) }),
    ...(taxes && { taxes }),
    factor: factorOf(commitment, context.convention, 'commitment'),
  }
}

const discountOf = ({ id, type, value, remaining, appliesTo }: Static<typeof discountSchema>): Discount => ({
  id,
  type: type === 'fixed' ? 'fixed' : 'percent',
  value: decimal(value),
  ...(remaining !== undefined && { remaining: decimal(remaining) }),
  ...(appliesTo && { appliesTo }),
})

/** The vector's own rates take the place of a tax provider. */
function answerOf(net: NetInvoice, { taxes = [] }: InvoiceInput): TaxAnswer {
  const rates = new Map(taxes.map(({ id, rate }) => [id, decimal(rate)]))
  const rateOf = (id: string, line: string) => {
    const rate = rates.get(id)
    if (!rate) throw new VectorFault(`lines "${line}"`, `names tax "${id}", which taxes does not have`)
    return { id, rate }
  }
  return {
    provider: 'vector',
    version: '1',
    lines: net.lines.map(({ id, taxes: named = [] }) => ({ id, taxes: named.map((tax) => rateOf(tax, id)) })),
  }
}

const showInvoice = (invoice: PricedInvoice) => ({
  lines: invoice.lines.map((line) => ({
    id: line.id,
    amount: show(line.amountMicros),
    cap: show(line.capMicros),
    discount: show(line.discountMicros),
    net: show(line.netMicros),
    tax: show(line.taxMicros),
  })),
  discounts: invoice.discounts.map(({ id, amountMicros }) => ({ id, amount: show(amountMicros) })),
  taxes: invoice.taxes.map(({ id, baseMicros, amountMicros }) => ({
    id,
    base: show(baseMicros),
    amount: show(amountMicros),
  })),
  trueUp: show(invoice.trueUpMicros),
  capAdjustment: show(invoice.capMicros),
  linesTotal: show(invoice.linesTotalMicros),
  discountTotal: show(invoice.discountTotalMicros),
  netTotal: show(invoice.netTotalMicros),
  taxTotal: show(invoice.taxTotalMicros),
  total: show(invoice.totalMicros),
  credits: show(invoice.creditsMicros),
  amountDue: show(invoice.amountDueMicros),
})
