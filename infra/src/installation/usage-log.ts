import type { UsageLog } from '@tidemark/schemas/topics.ts'
import type { Queryable } from '../postgres/pool.ts'
import { Failure } from '../process/failure.ts'
import { retry } from '../process/retry.ts'

type Row = { log: number; partitions: number; state: 'closing' | 'open' }

/** Servers that start together with this process get some seconds. */
const patience = { attempts: 6, minDelayMs: 250, maxDelayMs: 4_000 }

/** A group for each log: a process left over from before a cut-over must not be handed partitions of the next one. */
export const aggregatorGroup = (log: number): string => (log === 1 ? 'aggregator' : `aggregator.${log}`)

/**
 * The log that a service is set to (USAGE_LOG), once the record of cut-overs says that it may be written, or read.
 * @throws Failure `log_not_open` where no cut-over has opened it, `log_closed` where a later one is open, or, for writing,
 * is being opened
 */
export async function openUsageLog(pool: Queryable, log: number, use: 'write' | 'read'): Promise<UsageLog> {
  const rows = await retry(() => readLogs(pool), patience)
  const found = rows.find((row) => row.log === log && row.state === 'open')
  const later = rows.find((row) => row.log > log && (use === 'write' || row.state === 'open'))
  if (later !== undefined)
    throw new Failure(
      `USAGE_LOG is ${log}, but that log is closed: log ${later.log} ${later.state === 'open' ? 'is open. Set USAGE_LOG to it' : 'is being opened. Finish the cut-over first (npm run ledger -- cut-over)'}`,
      { code: 'log_closed', retryable: false },
    )
  if (found === undefined)
    throw new Failure(
      `USAGE_LOG is ${log}, but no cut-over has opened that log. Set it to ${rows.findLast((row) => row.state === 'open')?.log ?? 1}, ` +
        `or cut over first: npm run ledger -- cut-over --to ${log}`,
      { code: 'log_not_open', retryable: false },
    )
  return { log, partitions: found.partitions }
}

/** The log that is open now, for who only asks how far it has been read. */
export async function readCurrentUsageLog(pool: Queryable): Promise<UsageLog> {
  const current = (await readLogs(pool)).findLast((row) => row.state === 'open')
  if (current !== undefined) return { log: current.log, partitions: current.partitions }
  throw new Failure('no log of usage is open', { code: 'log_not_open', retryable: false })
}

async function readLogs(pool: Queryable): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    'SELECT log, partitions, state FROM metering.usage_logs ORDER BY log',
  )
  return rows
}
