import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'

/**
 * Keeps usage_meters in step with the meters of PostgreSQL, for the finance views: a version never changes, so only what
 * this process has not written yet is written. Called before a sealing pass, so that a view never meets a meter of a pass
 * whose definition it cannot find.
 */
export function createMeterPublication(clickHouse: ClickHouse) {
  const published = new Set<string>()
  return async (meters: readonly MeterVersion[]): Promise<void> => {
    const fresh = meters.filter((meter) => !published.has(nameOf(meter)))
    await clickHouse.insert('usage_meters', fresh.map(rowOf))
    for (const meter of fresh) published.add(nameOf(meter))
  }
}

const nameOf = ({ tenant, key, version }: MeterVersion): string => `${tenant}/${key}/${version}`

const pathOf = (path: string | undefined): string[] => (path === undefined ? [] : path.split('.'))

const rowOf = (meter: MeterVersion) => ({
  tenant: meter.tenant,
  key: meter.key,
  version: meter.version,
  event_type: meter.eventType,
  aggregation: meter.aggregation,
  value_path: pathOf(meter.valuePath),
  filters: (meter.filters ?? []).map((filter) => ({ path: pathOf(filter.path), accepted: filter.in })),
  rounding: meter.rounding?.mode ?? '',
  precision: meter.rounding?.precision ?? 0,
})
