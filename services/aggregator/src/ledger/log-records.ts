import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** What metering.logs says of a log. */
export type LogRecord = {
  readonly log: number
  readonly partitions: number
  readonly state: 'closing' | 'open'
  /** Where the log before it ended, by partition. */
  readonly previousEnds: readonly bigint[]
}

type Row = { log: number; partitions: number; state: 'closing' | 'open'; ends: string[] }

/** In ascending order. */
export async function readLogRecords(pool: Queryable): Promise<LogRecord[]> {
  const { rows } = await pool.query<Row>(
    `SELECT log, partitions, state, previous_ends AS ends FROM metering.logs ORDER BY log`,
  )
  return rows.map(({ ends, ...row }) => ({ ...row, previousEnds: ends.map(BigInt) }))
}

/** From here on no service begins to write to the log before. Written again by a cut-over that is run again. */
export async function recordClosing(
  pool: Queryable,
  record: { log: number; partitions: number; previousEnds: readonly bigint[]; by: string },
): Promise<void> {
  await pool.query(
    `INSERT INTO metering.logs (log, partitions, state, previous_ends, recorded_by)
     VALUES ($1, $2, 'closing', $3, $4)
     ON CONFLICT (log) DO UPDATE SET partitions = $2, previous_ends = $3, recorded_by = $4, recorded_at = now()
     WHERE metering.logs.state = 'closing'`,
    [record.log, record.partitions, JSON.stringify(record.previousEnds.map(String)), record.by],
  )
}

export async function recordOpen(pool: Queryable, log: number): Promise<void> {
  await pool.query(`UPDATE metering.logs SET state = 'open', recorded_at = now() WHERE log = $1`, [log])
}
