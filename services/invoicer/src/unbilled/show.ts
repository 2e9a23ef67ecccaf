import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { MeteredUsage } from '../closing/usage.ts'
import {
  isAdditive,
  type MeterAccount,
  quantityOfUsage,
  type UnbilledItem,
  unbilledOf,
} from './accounting.ts'
import { unbilledReasons } from './coverage.ts'

/** Events, and the quantity that the meter makes of them; null where parts of it do not add up to the whole. */
const showTotal = (meter: MeterVersion, usage: MeteredUsage) => ({
  events: Number(usage.count),
  quantity: isAdditive(meter) ? formatDecimal(usage.readings.sum) : null,
})

export const showAccount = ({ meter, metered, billed, items }: MeterAccount) => ({
  meter: meter.key,
  version: meter.version,
  metered: showTotal(meter, metered),
  billed: showTotal(meter, billed),
  unbilled: {
    ...showTotal(meter, unbilledOf(items)),
    reasons: Object.fromEntries(
      unbilledReasons.flatMap((reason) => {
        const some = items.filter((item) => item.reason === reason)
        return some.length === 0 ? [] : [[reason, showTotal(meter, unbilledOf(some))]]
      }),
    ),
  },
})

export function showItem(item: UnbilledItem, meter: MeterVersion) {
  const quantity = quantityOfUsage(meter, item.usage)
  return {
    subject: item.subject,
    meter: item.meter,
    reason: item.reason,
    customer: item.customer ?? null,
    subscription: item.subscription ?? null,
    events: Number(item.usage.count),
    unreadable: Number(item.usage.unreadable),
    quantity: quantity === undefined ? null : formatDecimal(quantity),
  }
}
