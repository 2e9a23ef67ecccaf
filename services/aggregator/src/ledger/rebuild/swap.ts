import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { besideName, clearMarks, readMarks, rebuiltTables } from './rebuilt-tables.ts'

const timeout = { timeoutMs: 1_800_000 }

/**
 * Puts the rebuilt tables in the place of those in use, while the aggregator goes on writing. What it has written since the
 * cut is copied over before each swap, and again after: the same rows collapse. An insert that began before a swap ends in
 * the old table, so the last copying waits for these. Where it breaks off, it is called again and goes on.
 */
export async function swapTables(
  clickHouse: ClickHouse,
  cut: Cut,
  tell: (line: string) => void,
): Promise<void> {
  const { beside } = await readMarks(clickHouse)
  for (const table of rebuiltTables) {
    if (!beside.includes(table)) continue
    await copyTail(clickHouse, table, besideName(table), cut)
    await clickHouse.command(`EXCHANGE TABLES ${table} AND ${besideName(table)}`)
    tell(`swapped ${table}`)
    await copyTail(clickHouse, besideName(table), table, cut)
  }
  await awaitInserts(clickHouse)
  for (const table of rebuiltTables) await copyTail(clickHouse, besideName(table), table, cut)
  await clearMarks(clickHouse)
}

/** Rows from the cut on. Where the same row is there already, the two collapse. */
async function copyTail(clickHouse: ClickHouse, from: string, to: string, cut: Cut): Promise<void> {
  const { sql, params } = atCut(cut)
  await clickHouse.command(`INSERT INTO ${to} SELECT * FROM ${from} WHERE NOT (${sql})`, params, timeout)
}

const pollMs = 100
/** Above the deadline of every insert. */
const longestInsertMs = 600_000

/** Until every insert into this database that was under way at the call has ended. */
async function awaitInserts(clickHouse: ClickHouse): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    const waitedSeconds = (performance.now() - startedAt) / 1000
    const [row] = await clickHouse.query<{ inserts: string }>(
      `SELECT toString(count()) AS inserts FROM system.processes
       WHERE current_database = currentDatabase() AND query_kind = 'Insert' AND elapsed >= {waited:Float64}`,
      { waited: waitedSeconds },
    )
    if (row?.inserts === '0') return
    if (waitedSeconds * 1000 > longestInsertMs)
      throw new Failure('an insert does not end; run the rebuild again, it goes on where it was', {
        code: 'insert_stuck',
        retryable: true,
      })
    await pause(pollMs)
  }
}
