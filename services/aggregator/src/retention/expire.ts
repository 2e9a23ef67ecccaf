import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Hour } from '../usage/hour-plan.ts'
import { type Month, monthEnd } from './month.ts'
import { monthlyTables } from './needs-store.ts'

/** Tables without monthly partitions that speak of hours, with the column of the hour. */
const hourTables = {
  usage_ledger_by_cell: 'hour',
  usage_corrections: 'superseded_hour',
  usage_seals: 'hour',
} as const

const deletion = { timeoutMs: 3_600_000 }

/**
 * Removes everything of the months up to and including this one. That they are gone is recorded first, so that whoever
 * compares the tables meanwhile leaves them out; broken off, it is begun anew and ends the same. The ledger itself stays:
 * it proves that no offset was ever skipped, and an identity is never forgotten.
 */
export async function expireThrough(
  clickHouse: ClickHouse,
  last: Month,
  months: readonly Month[],
  now: Micros1970,
): Promise<void> {
  const end = monthEnd(last) / 1_000_000
  await clickHouse.insert('usage_expired', [{ before: end, recorded_at: formatInstant(now) }])
  await removeHours(clickHouse, end)
  for (const month of months.filter((each) => each <= last))
    for (const table of monthlyTables)
      await clickHouse.command(`ALTER TABLE ${table} DROP PARTITION ${month}`, {}, deletion)
}

/** What speaks of hours before this one; also what a repair from the log has put there again. */
export async function removeHours(clickHouse: ClickHouse, end: Hour): Promise<void> {
  for (const [table, hour] of Object.entries(hourTables)) {
    const before = `${hour} < fromUnixTimestamp({end:UInt32})`
    const [found] = await clickHouse.query<{ rows: string }>(
      `SELECT toString(count()) AS rows FROM ${table} WHERE ${before}`,
      { end },
      deletion,
    )
    if (found?.rows !== '0')
      await clickHouse.command(`DELETE FROM ${table} WHERE ${before}`, { end }, deletion)
  }
}

/** The first hour that retention has left; undefined when it never removed anything. */
export async function readKeptFrom(clickHouse: ClickHouse): Promise<Hour | undefined> {
  const [row] = await clickHouse.query<{ kept: number }>(
    'SELECT toUnixTimestamp(max(before)) AS kept FROM usage_expired HAVING count() > 0',
  )
  return row?.kept
}
