import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Completeness } from './completeness.ts'
import { createCompletenessReader } from './watermark-store.ts'

/** Watermarks are written four times a second: reading them more often tells a preview nothing new. */
const maxAgeMicros = 250_000

/** Where a tenant's usage stands, shared by those who ask at about the same time. */
export function createLiveCompleteness(deps: {
  readonly clickHouse: ClickHouse
  readonly pool: Queryable
  readonly clock: Clock
}): (tenant: string) => Promise<Completeness> {
  const recent = new Map<string, { readonly at: number; readonly reading: Promise<Completeness> }>()
  return (tenant) => {
    const now = deps.clock.nowMicros()
    const found = recent.get(tenant)
    if (found && now - found.at < maxAgeMicros) return found.reading
    for (const [key, { at }] of recent) if (now - at >= maxAgeMicros) recent.delete(key)
    const reading = createCompletenessReader(deps, tenant)()
    recent.set(tenant, { at: now, reading })
    // Who asks next asks anew.
    reading.catch(() => recent.delete(tenant))
    return reading
  }
}
