import { Type } from 'typebox'
import { money, period, refusedPeriod, textOrNull } from '../openapi/field.ts'

// What the routes of invoices and of closing answer.

export const invoiceSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  number: Type.String({ description: 'In the series of the seller, without gaps.' }),
  customer: Type.String(),
  subscription: Type.String(),
  period,
  currency: Type.String(),
  discount: money('What coupons took off'),
  net: money('All lines after discounts, before tax'),
  tax: money('All taxes'),
  total: money('Net and tax'),
  amountDue: money('What is left after credits'),
  state: Type.Enum(['draft', 'open', 'paid', 'past_due', 'void', 'uncollectible']),
  issuedOn: Type.String({ format: 'date' }),
  openedAt: textOrNull('When it was opened.'),
  paidAt: textOrNull('When it was paid.'),
})

const amounts = {
  amount: money('Before discounts'),
  cap: money('What a maximum took off'),
  discount: money('What coupons took off'),
  net: money('What is left'),
  tax: money('Of the net'),
}

export const lineSchema = Type.Object({
  kind: Type.String({ description: 'Such as usage, fee, true-up.' }),
  price: Type.String(),
  model: Type.String(),
  description: Type.String(),
  meter: textOrNull('Of usage.'),
  meterVersion: Type.Union([Type.Integer(), Type.Null()]),
  quantity: textOrNull('Decimal text.'),
  source: Type.Union([
    Type.Object({ kind: Type.String(), id: Type.String(), version: Type.Integer() }),
    Type.Null(),
  ]),
  ...amounts,
  service: period,
})

const traceSchema = Type.Array(Type.Object({ step: Type.String() }), {
  description: 'Each step with its numbers as decimal text.',
})

/** An invoice that is not stored: what a preview answers. */
export const draftSchema = Type.Object({
  customer: Type.String(),
  subscription: Type.String(),
  kind: Type.String(),
  period,
  currency: Type.String(),
  lines: Type.Array(
    Type.Object({
      kind: Type.String(),
      price: Type.String(),
      model: Type.String(),
      description: Type.String(),
      meter: textOrNull('Of usage.'),
      quantity: textOrNull('Decimal text.'),
      ...amounts,
      service: period,
      trace: traceSchema,
    }),
  ),
  discounts: Type.Array(Type.Object({ coupon: Type.String(), amount: money('What it took off') })),
  taxes: Type.Array(
    Type.Object({
      id: Type.String(),
      rate: Type.String({ description: 'Percent.' }),
      base: money('What it is of'),
      amount: money('The tax'),
      reason: textOrNull('Why none is due: reverse_charge or exempt.'),
    }),
  ),
  discount: money('What coupons took off'),
  net: money('All lines after discounts, before tax'),
  tax: money('All taxes'),
  total: money('Net and tax'),
  amountDue: money('What is left after credits'),
  trace: traceSchema,
})

export const closeSchema = Type.Object({
  dryRun: Type.Boolean(),
  closed: Type.Integer({ description: 'Invoices that this request made.' }),
  alreadyClosed: Type.Integer(),
  invoices: Type.Array(invoiceSchema, { description: 'At most 1000; the counts are whole.' }),
  drafts: Type.Array(
    Type.Object({
      customer: Type.String(),
      subscription: Type.String(),
      period,
      currency: Type.String(),
      total: money('What it would come to'),
      lines: Type.Array(Type.Object({ price: Type.String(), amount: money('Of the line') })),
    }),
    { description: 'Of a dry run.' },
  ),
  refused: Type.Array(refusedPeriod, { description: 'Periods that stay open, each with its reason.' }),
})

export const verificationSchema = Type.Object({
  verified: Type.Boolean({ description: 'Whether everything came out the same, byte for byte.' }),
})

export const attemptSchema = Type.Object({
  invoice: Type.Object({ id: Type.String(), number: Type.String(), state: Type.String() }),
  attempt: Type.Object({
    id: Type.String(),
    state: Type.String({ description: 'Such as succeeded, processing, requires_action, failed.' }),
    amount: money('What is charged'),
    currency: Type.String(),
    processorIntentId: textOrNull('Of the processor.'),
    declineCode: textOrNull('Why it was declined.'),
  }),
})

const id = '0b0c8f0e-3f3a-5f0e-9a53-0b8f6a0f3c11'
const serviceExample = { start: '2026-10-01T00:00:00.000000Z', end: '2026-11-01T00:00:00.000000Z' }

export const invoiceExample = {
  id,
  number: 'ACME-000042',
  customer: 'acme',
  subscription: 'acme-pro',
  period: serviceExample,
  currency: 'USD',
  discount: '0.00',
  net: '29.00',
  tax: '0.00',
  total: '29.00',
  amountDue: '29.00',
  state: 'open',
  issuedOn: '2026-11-01',
  openedAt: '2026-11-01T01:00:00.000000Z',
  paidAt: null,
}

export const lineExample = {
  kind: 'fee',
  price: 'base',
  model: 'flat',
  description: 'Base fee',
  meter: null,
  meterVersion: null,
  quantity: null,
  source: { kind: 'plan', id: 'pro', version: 1 },
  amount: '29.00',
  cap: '0.00',
  discount: '0.00',
  net: '29.00',
  tax: '0.00',
  service: serviceExample,
}

export const draftExample = {
  customer: 'acme',
  subscription: 'acme-pro',
  kind: 'recurring',
  period: serviceExample,
  currency: 'USD',
  lines: [],
  discounts: [],
  taxes: [],
  discount: '0.00',
  net: '29.00',
  tax: '0.00',
  total: '29.00',
  amountDue: '29.00',
  trace: [],
}
