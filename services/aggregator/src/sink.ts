import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { retry } from '@tidemark/infra/process/retry.ts'
import type { TableRows } from './event-row.ts'
import { createInsertGroups } from './insert-groups.ts'

export type SinkOptions = {
  clickHouse: ClickHouse
  publishRejected(messages: readonly OutboundMessage[]): Promise<void>
  logger: Log
  insertTimeoutMs: number
  /** For one step with all its attempts; below the group's session timeout. */
  stepTimeoutMs: number
}

/** Both resolve when everything is acknowledged; writing the same again changes nothing, so each attempt is whole. */
export type Sink = {
  writeEvidence(evidence: readonly TableRows[], rejected: readonly OutboundMessage[]): Promise<void>
  writeLedger(ledger: TableRows): Promise<void>
}

const attempts = 8
const minDelayMs = 200
const maxDelayMs = 4_000

export function createSink(options: SinkOptions): Sink {
  const { clickHouse, logger } = options

  /** Gives up with the last failure; the process then ends, and replays what the ledger does not know. */
  const persist = async (what: string, write: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const signal = AbortSignal.timeout(options.stepTimeoutMs)
    let last: Failure | undefined
    const onRetry = (failure: Failure, attempt: number, delayMs: number): void => {
      last = failure
      logger.warn(
        { what, attempt, delayMs, code: failure.code, reason: failure.message },
        'write is tried again',
      )
    }
    try {
      await retry(() => write(signal), { attempts, minDelayMs, maxDelayMs, signal, onRetry })
    } catch (error) {
      const cause = signal.aborted && last !== undefined ? last : asFailure(error)
      throw new Failure(`${what} could not be written: ${cause.message}`, {
        code: cause.code,
        retryable: false,
        cause,
      })
    }
  }

  const insertTogether = createInsertGroups((table, columns, blocks) =>
    clickHouse.insertNative(table, columns, blocks, { timeoutMs: options.insertTimeoutMs }),
  )
  const insert = (rows: TableRows): Promise<void> =>
    persist(rows.table, (signal) => unlessAborted(insertTogether(rows), signal))

  return {
    async writeEvidence(evidence, rejected) {
      const published =
        rejected.length === 0 ? [] : [persist('usage.rejected', () => options.publishRejected(rejected))]
      await Promise.all([...evidence.map(insert), ...published])
    },
    writeLedger: insert,
  }
}

/** What is written for others too is not called off; whoever gives up only stops waiting for it. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
