import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import type { Mapping } from '../catalogue/known.ts'
import { sha256Of } from '../catalogue/version-changes.ts'
import type { ReadUsage } from '../invoicing/usage-needs.ts'
import { quantityOf } from './readings.ts'

/** Whose usage it is and when, all needs together. */
export function mappingJson(usage: readonly ReadUsage[]): Json {
  const all = new Map<string, Mapping>()
  for (const mapping of usage.flatMap(({ mappings }) => mappings))
    all.set(JSON.stringify([mapping.subject, mapping.from, mapping.to]), mapping)
  return [...all.values()].sort(inOrder).map(({ subject, from, to }) => ({
    subject,
    from: formatInstant(from),
    to: formatInstant(to),
  }))
}

const inOrder = (a: Mapping, b: Mapping): number =>
  a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : a.from - b.from || a.to - b.to

export const usageJson = ({ need, meter, count, hash, unreadable, readings }: ReadUsage): Json => {
  const { tenant: _, version, ...definition } = meter
  return {
    need: need.id,
    meter: meter.key,
    version,
    definition: sha256Of(definition),
    eventType: meter.eventType,
    windows: need.windows.map(formatPeriod),
    filter: Object.fromEntries(Object.entries(need.filter).map(([name, values]) => [name, [...values]])),
    events: { count: `${count}`, hash: hash.toString(16).padStart(32, '0'), unreadable: `${unreadable}` },
    quantity: formatDecimal(roundQuantity(quantityOf(meter, readings), meter.rounding)),
  }
}
