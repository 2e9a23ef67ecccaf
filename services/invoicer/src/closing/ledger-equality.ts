import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, eventHash } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { formatClickHouseInstant, hourOf, microsPerHour } from '@tidemark/schemas/instant.ts'
import { CloseStopped } from './stop.ts'

/** Events of one type in the whole hours that a period touches, all subjects together. */
export type TypeTotal = { readonly count: bigint; readonly hash: bigint }

/** The whole hours that a period touches: zones off by half an hour cut them, the ledger does not. */
export const wholeHours = ({ start, end }: BillingPeriod): BillingPeriod => ({
  start: hourOf(start),
  end: hourOf(end - 1) + microsPerHour,
})

type Row = { type: string; count: string; hash: string; differences: [string, string, string][] }

/**
 * Holds, hour by hour, the raw events up to the cut against what the ledger accepted: one count and one hash per cell.
 * @returns the ledger's totals by event type, to hold against what is billed
 * @throws CloseStopped `ledger_mismatch`
 */
export async function checkLedgerEquality(
  clickHouse: ClickHouse,
  { tenant, types, period, cut }: { tenant: string; types: string[]; period: BillingPeriod; cut: Cut },
): Promise<Map<string, TypeTotal>> {
  if (types.length === 0) return new Map()
  const { start, end } = wholeHours(period)
  const below = atCut(cut)
  const rows = await clickHouse.query<Row>(
    `SELECT type, toString(sum(ledger_count)) AS count, toString(sum(ledger_hash)) AS hash,
       groupArrayIf(20)((toString(hour), toString(raw_count), toString(ledger_count)), differs) AS differences
     FROM (
       SELECT type, hour, sumIf(n, is_raw) AS raw_count, sumIf(n, NOT is_raw) AS ledger_count,
         sumIf(h, is_raw) AS raw_hash, sumIf(h, NOT is_raw) AS ledger_hash,
         raw_count != ledger_count OR raw_hash != ledger_hash AS differs
       FROM (
         SELECT type, toStartOfHour(time) AS hour, count() AS n, ${eventHash} AS h, true AS is_raw
         FROM usage_events FINAL
         WHERE tenant = {tenant:String} AND type IN {types:Array(String)}
           AND toDate(time) >= toDate({start:DateTime64(6, 'UTC')}) AND toDate(time) <= toDate({end:DateTime64(6, 'UTC')})
           AND time >= {start:DateTime64(6, 'UTC')} AND time < {end:DateTime64(6, 'UTC')} AND ${below.sql}
         GROUP BY type, hour
         UNION ALL
         SELECT type, hour, count() AS n, ${eventHash} AS h, false AS is_raw
         FROM usage_ledger_by_cell FINAL
         WHERE tenant = {tenant:String} AND type IN {types:Array(String)} AND verdict = 'accepted'
           AND hour >= {start:DateTime64(6, 'UTC')} AND hour < {end:DateTime64(6, 'UTC')} AND ${below.sql}
         GROUP BY type, hour
       ) GROUP BY type, hour
     ) GROUP BY type ORDER BY type`,
    {
      ...below.params,
      tenant,
      types,
      start: formatClickHouseInstant(start),
      end: formatClickHouseInstant(end),
    },
  )
  const different = rows.find(({ differences }) => differences.length > 0)
  if (different) throw mismatch(tenant, different)
  return new Map(rows.map(({ type, count, hash }) => [type, { count: BigInt(count), hash: BigInt(hash) }]))
}

function mismatch(tenant: string, { type, differences }: Row): CloseStopped {
  const [hour, raw, ledger] = differences[0] ?? ['', '0', '0']
  return new CloseStopped(
    `Usage of type "${type}" in the hour ${hour} is not what the ledger accepted (${raw} events there, ${ledger} in the ledger): nothing of this period is closed.`,
    'ledger_mismatch',
    {
      tenant,
      type,
      cells: differences.map(([hour, rawCount, ledgerCount]) => ({ hour, rawCount, ledgerCount })),
    },
  )
}
