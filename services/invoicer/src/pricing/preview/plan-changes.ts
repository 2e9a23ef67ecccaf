import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { type ChangedItem, changePlan } from '../plan-change.ts'
import { createDateReader, type DateReader } from './dates.ts'
import {
  bodyOf,
  closed,
  dateField,
  dayCountField,
  idField,
  periodField,
  quantityField,
  timeZoneField,
} from './fields.ts'
import { previewKind } from './kind.ts'

const itemField = Type.Object(
  {
    id: idField,
    type: Type.Enum(['recurring', 'one-time', 'usage']),
    quantity: quantityField,
    unitPrice: quantityField,
    period: Type.Optional(periodField),
  },
  closed,
)
const itemsField = Type.Array(itemField, { maxItems: 100 })

const body = bodyOf('plan-change', {
  period: periodField,
  changeOn: dateField,
  from: itemsField,
  to: itemsField,
  timeZone: timeZoneField,
  convention: Type.Optional(Type.Object({ dayCount: dayCountField }, closed)),
})

/** Fees paid in advance before and after a change within their period. */
export const planChangePreview = previewKind(body, ({ currency, convention, ...given }) => {
  const dayCount = convention?.dayCount ?? 'half-open'
  const reader = createDateReader(given.timeZone, dayCount)
  const change = {
    period: reader.period('period', given.period),
    at: reader.start('changeOn', given.changeOn),
    from: given.from.map((item, index) => readItem(item, `from.${index}`, reader)),
    to: given.to.map((item, index) => readItem(item, `to.${index}`, reader)),
  }
  if (reader.faults.length > 0) return { faults: reader.faults }
  if (change.at < change.period.start || change.at > change.period.end)
    return { faults: [{ field: 'changeOn', reason: 'must lie within the period' }] }
  const changed = changePlan(change, { dayCount, timeZone: reader.timeZone }, currency)
  return {
    answer: {
      lines: changed.lines.map(({ item, kind, amountMicros }) => ({
        item,
        kind,
        amount: formatMicros(amountMicros, currency),
      })),
      credit: formatMicros(changed.creditMicros, currency),
      charge: formatMicros(changed.chargeMicros, currency),
      net: formatMicros(changed.netMicros, currency),
      trace: changed.trace,
    },
  }
})

const readItem = (
  { period, quantity, unitPrice, ...item }: Static<typeof itemField>,
  field: string,
  reader: DateReader,
): ChangedItem => ({
  ...item,
  quantity: decimal(quantity),
  unitPrice: decimal(unitPrice),
  ...(period === undefined ? {} : { period: reader.period(`${field}.period`, period) }),
})
