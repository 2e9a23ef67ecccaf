import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { expireThrough, readKeptFrom, removeHours } from './expire.ts'
import { microsPerDay, monthText } from './month.ts'
import { readNeeds, readStoredMonths } from './needs-store.ts'
import { type MonthPlan, planRetention } from './plan.ts'

export type RetentionSources = {
  readonly clickHouse: ClickHouse
  /** As the aggregator. */
  readonly pool: Queryable
  readMeters(): Promise<readonly MeterVersion[]>
}

export type RetentionOrder = {
  readonly retentionDays: number
  readonly certificateDays: number
  readonly now: Micros1970
  readonly dryRun: boolean
}

export type RetentionResult = { readonly lines: string[]; readonly refused: number }

/** Plans what goes, removes it unless it is a dry run, and says month by month what became of it. */
export async function expireMonths(
  sources: RetentionSources,
  { retentionDays, certificateDays, now, dryRun }: RetentionOrder,
): Promise<RetentionResult> {
  const before = now - retentionDays * microsPerDay
  const months = await readStoredMonths(sources.clickHouse, before)
  const needs = await readNeeds(sources, before, certificateDays, now)
  const plan = planRetention(months, needs, retentionDays, now).filter(({ fate }) => fate !== 'kept')
  const going = plan.filter(({ fate }) => fate === 'expires').map(({ month }) => month)
  const last = going.at(-1)
  if (!dryRun) {
    if (last !== undefined) await expireThrough(sources.clickHouse, last, going, now)
    else await removeHours(sources.clickHouse, (await readKeptFrom(sources.clickHouse)) ?? 0)
  }
  return {
    lines:
      plan.length === 0
        ? [`No month ended more than ${retentionDays} days ago: nothing is to be removed.`]
        : plan.map((month) => lineOf(month, dryRun)),
    refused: plan.length - going.length,
  }
}

function lineOf(plan: MonthPlan, dryRun: boolean): string {
  const month = `${monthText(plan.month)}  ${plan.rows} rows`
  if (plan.fate === 'refused') return `${month}  stays: ${plan.reasons.join('; ')}`
  return `${month}  ${dryRun ? 'would be removed' : 'removed'}`
}
