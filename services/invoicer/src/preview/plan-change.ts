import { decimal } from '@tidemark/schemas/decimal.ts'
import { type Static, Type } from 'typebox'
import { type ChangedItem, changePlan } from '../pricing/plan-change.ts'
import {
  closed,
  dateField,
  idField,
  instantOf,
  numberField,
  periodOf,
  periodSchema,
  show,
  termsOf,
  type VectorContext,
} from './input.ts'

const itemSchema = Type.Object(
  {
    id: idField,
    type: Type.Enum(['recurring', 'one-time', 'usage']),
    quantity: numberField,
    unitPrice: numberField,
    period: Type.Optional(periodSchema),
  },
  closed,
)
const items = Type.Array(itemSchema, { maxItems: 1000 })

export const planChangeFields = { period: periodSchema, changeOn: dateField, from: items, to: items }
const schema = Type.Object(planChangeFields)

export function previewPlanChange(input: Static<typeof schema>, { currency, convention }: VectorContext) {
  const itemsOf = (side: 'from' | 'to') =>
    input[side].map((item, index): ChangedItem => {
      const { id, type, quantity, unitPrice, period } = item
      return {
        id,
        type,
        quantity: decimal(quantity),
        unitPrice: decimal(unitPrice),
        ...(period && { period: periodOf(period, convention, `${side}[${index}].period`) }),
      }
    })
  const change = {
    period: periodOf(input.period, convention, 'period'),
    at: instantOf(input.changeOn, 'changeOn'),
    from: itemsOf('from'),
    to: itemsOf('to'),
  }
  const changed = changePlan(change, termsOf(convention), currency)
  return {
    lines: changed.lines.map(({ item, kind, amountMicros }) => ({ item, kind, amount: show(amountMicros) })),
    credit: show(changed.creditMicros),
    charge: show(changed.chargeMicros),
    net: show(changed.netMicros),
    trace: changed.trace,
  }
}
