import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { quantityOf } from '../closing/readings.ts'
import { addUsage, type MeteredUsage, noUsage, type UsageCell } from '../closing/usage.ts'
import { unbillable } from '../pricing/billable-meter.ts'
import { fateOf, type Stretch, type UnbilledReason } from './coverage.ts'

/** Usage of one subject that is on no invoice, for one reason. */
export type UnbilledItem = {
  readonly meter: string
  readonly subject: string
  readonly reason: UnbilledReason
  readonly customer: string | undefined
  readonly subscription: string | undefined
  readonly usage: MeteredUsage
}

/** What a meter counted, divided into what is billed and what is not. */
export type MeterAccount = {
  readonly meter: MeterVersion
  readonly metered: MeteredUsage
  readonly billed: MeteredUsage
  readonly items: readonly UnbilledItem[]
}

/** Cells of one subject with the stretch that they lie in. */
export type PlacedCell = {
  readonly cell: UsageCell
  readonly stretch: Stretch
  /** Names of the cell's values. */
  readonly dimensions: readonly string[]
}

/** Divides a meter's usage: each cell is billed, or an item says why not. */
export function accountFor(
  meter: MeterVersion,
  metered: MeteredUsage,
  placed: readonly PlacedCell[],
): MeterAccount {
  let billed = noUsage
  const items = new Map<string, UnbilledItem>()
  for (const { cell, stretch, dimensions } of placed) {
    const fate = fateOf(stretch, (name) => cell.values[dimensions.indexOf(name)] ?? '')
    if (fate.reason === undefined) {
      billed = addUsage(billed, cell)
      continue
    }
    const { reason, customer, subscription } = fate
    const key = itemKey({ meter: meter.key, subject: cell.subject, reason, customer, subscription })
    const usage = addUsage(items.get(key)?.usage ?? noUsage, cell)
    items.set(key, { meter: meter.key, subject: cell.subject, reason, customer, subscription, usage })
  }
  return { meter, metered, billed, items: [...items.values()] }
}

/** One text for one item: orders a list, and is its cursor. */
export const itemKey = ({
  meter,
  subject,
  reason,
  customer = '',
  subscription = '',
}: Omit<UnbilledItem, 'usage'>): string => JSON.stringify([meter, subject, reason, customer, subscription])

export const unbilledOf = (items: readonly UnbilledItem[]): MeteredUsage =>
  items.reduce<MeteredUsage>((sum, { usage }) => addUsage(sum, usage), noUsage)

/** Parts of a count or a sum add up to the whole; what other meters make of a part says nothing of the whole. */
export const isAdditive = ({ aggregation }: MeterVersion): boolean =>
  aggregation === 'count' || aggregation === 'sum'

/** Undefined where no quantity follows from the events of one subject alone. */
export const quantityOfUsage = (meter: MeterVersion, usage: MeteredUsage): Decimal | undefined =>
  unbillable(meter.key, meter.aggregation) === undefined ? quantityOf(meter, usage.readings) : undefined
