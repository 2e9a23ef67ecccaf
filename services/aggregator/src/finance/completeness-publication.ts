import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'

/** Views tell of days: a row per tenant and minute is plenty. */
const stepMicros = 60_000_000

/**
 * Keeps usage_completeness in step with what GET /v1/completeness answers. It cannot be a view over the watermarks: a
 * relay's row counts only once the aggregator has come as far as it says, and by then a newer one has taken its place.
 */
export function createCompletenessPublication(clickHouse: ClickHouse) {
  const published = new Map<string, Micros1970>()
  return async (tenants: Iterable<string>, completeUntil: (tenant: string) => Micros1970): Promise<void> => {
    const rows = [...new Set(tenants)]
      .map((tenant) => ({ tenant, until: completeUntil(tenant) }))
      .filter(({ tenant, until }) => until >= (published.get(tenant) ?? 0) + stepMicros)
    await clickHouse.insert(
      'usage_completeness',
      rows.map(({ tenant, until }) => ({ tenant, complete_until: formatInstant(until) })),
    )
    for (const { tenant, until } of rows) published.set(tenant, until)
  }
}
