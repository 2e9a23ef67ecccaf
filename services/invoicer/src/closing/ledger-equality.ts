import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import {
  atCut,
  eventHash,
  eventHashIf,
  placeHashIf,
  supersededPlaces,
} from '@tidemark/infra/clickhouse/usage-sql.ts'
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

type Row = { type: string; count: string; hash: string; differences: Difference[] }
/** The hour, then events by raw rows and by the ledger, then corrections of them by usage_corrections and by the ledger. */
type Difference = [string, string, string, string, string]

/**
 * Holds, hour by hour, the raw events up to the cut against what the ledger accepted, and what is superseded among them
 * against the corrections that the ledger knows: one count and one hash each per cell.
 * @returns by event type what is left in force, to hold against what is billed
 * @throws CloseStopped `ledger_mismatch`
 */
export async function checkLedgerEquality(
  clickHouse: ClickHouse,
  { tenant, types, period, cut }: { tenant: string; types: string[]; period: BillingPeriod; cut: Cut },
): Promise<Map<string, TypeTotal>> {
  if (types.length === 0) return new Map()
  const { start, end } = wholeHours(period)
  const below = atCut(cut)
  const ofTypes = 'tenant = {tenant:String} AND type IN {types:Array(String)}'
  const inPeriod = (column: string) =>
    `${column} >= {start:DateTime64(6, 'UTC')} AND ${column} < {end:DateTime64(6, 'UTC')}`
  const superseded = supersededPlaces(below.sql, `${ofTypes} AND ${inPeriod('superseded_hour')}`)
  const rows = await clickHouse.query<Row>(
    `SELECT type, toString(sum(in_force)) AS count, toString(sum(in_force_hash)) AS hash,
       groupArrayIf(20)((toString(hour), toString(raw_count), toString(ledger_count), toString(corrections),
         toString(marks)), differs) AS differences
     FROM (
       SELECT type, hour, sumIf(n, side = 'raw') AS raw_count, sumIf(n, side = 'ledger') AS ledger_count,
         sumIf(h, side = 'raw') AS raw_hash, sumIf(h, side = 'ledger') AS ledger_hash,
         sumIf(n, side = 'corrections') AS corrections, sumIf(m, side = 'ledger') AS marks,
         sumIf(h, side = 'corrections') AS corrections_hash, sumIf(mh, side = 'ledger') AS marks_hash,
         sumIf(m, side = 'raw') AS in_force, sumIf(mh, side = 'raw') AS in_force_hash,
         raw_count != ledger_count OR raw_hash != ledger_hash
           OR corrections != marks OR corrections_hash != marks_hash AS differs
       FROM (
         SELECT 'raw' AS side, type, hour, count() AS n, ${eventHash} AS h,
           countIf(stands) AS m, ${eventHashIf('stands')} AS mh
         FROM (
           SELECT type, toStartOfHour(time) AS hour, log, partition, offset, payload_hash,
             (log, partition, offset) NOT IN (${superseded}) AS stands
           FROM usage_events FINAL
           WHERE ${ofTypes}
             AND toDate(time) >= toDate({start:DateTime64(6, 'UTC')}) AND toDate(time) <= toDate({end:DateTime64(6, 'UTC')})
             AND ${inPeriod('time')} AND ${below.sql}
         ) GROUP BY type, hour
         UNION ALL
         SELECT 'ledger' AS side, type, hour, countIf(${counted}) AS n, ${eventHashIf(counted)} AS h,
           countIf(supersedes = 1) AS m, ${placeHashIf('supersedes = 1')} AS mh
         FROM usage_ledger_by_cell FINAL
         WHERE ${ofTypes} AND ${inPeriod('hour')} AND ${below.sql} GROUP BY type, hour
         UNION ALL
         SELECT 'corrections' AS side, type, superseded_hour AS hour, count() AS n, ${placeHashIf('true')} AS h,
           toUInt64(0) AS m, toUInt128(0) AS mh
         FROM usage_corrections FINAL
         WHERE ${ofTypes} AND ${inPeriod('superseded_hour')} AND ${below.sql} GROUP BY type, hour
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

/** Rows of the copy by cell that count there; the others only mark that a correction supersedes something. */
const counted = "verdict IN ('accepted', 'correction')"

function mismatch(tenant: string, { type, differences }: Row): CloseStopped {
  const [hour, raw, ledger, corrections, marks] = differences[0] ?? ['', '0', '0', '0', '0']
  const found =
    corrections === marks
      ? `${raw} events there, ${ledger} in the ledger`
      : `${corrections} of its events are superseded there, ${marks} in the ledger`
  return new CloseStopped(
    `Usage of type "${type}" in the hour ${hour} is not what the ledger accepted (${found}): nothing of this period is closed.`,
    'ledger_mismatch',
    {
      tenant,
      type,
      cells: differences.map(([hour, rawCount, ledgerCount, superseded, ledgerSuperseded]) => ({
        hour,
        rawCount,
        ledgerCount,
        superseded,
        ledgerSuperseded,
      })),
    },
  )
}
