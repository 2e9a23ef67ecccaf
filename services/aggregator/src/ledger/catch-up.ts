import { setTimeout as pause } from 'node:timers/promises'
import type { NewClaim } from '../deduplication/decide.ts'
import type { Position } from '../deduplication/position.ts'
import type { DeduplicationState } from '../deduplication/state.ts'
import type { LogPartition } from '../place.ts'
import type { LedgerRow } from './ledger.ts'
import { type LostRange, passLost } from './lost-ranges.ts'

export type CatchUpOptions = {
  partition: LogPartition
  state: DeduplicationState
  /** Where to begin: the state's next offset, or, for an empty state, the first row that still counts. */
  from: bigint
  /** In pages. */
  rows: AsyncIterable<readonly LedgerRow[]>
  lost: readonly LostRange[]
  /** Ends it early, with the signal's reason; what was caught up is kept. */
  signal: AbortSignal
  onProgress(nextOffset: bigint): void
}

export type CaughtUp = {
  /** End of what the ledger proves without a gap: where the partition goes on. */
  readonly nextOffset: bigint
  /** First row beyond a gap of the ledger; undefined where there is none. */
  readonly beyondGap: bigint | undefined
}

/** Each commit waits for the disk. */
const rowsPerCommit = 50_000

/**
 * Carries the state forward to the end of what the ledger proves: every row must follow the one before it, or be
 * separated from it by what is lost. It ends at the first gap; consuming that range again repairs it.
 */
export async function catchUp(options: CatchUpOptions): Promise<CaughtUp> {
  const { state, rows, lost, from } = options
  let { logTimeMicros, last } = state.position
  let expected = from
  let beyondGap: bigint | undefined
  let claims: NewClaim[] = []
  let uncommitted = 0

  const commit = async (): Promise<void> => {
    options.signal.throwIfAborted()
    if (uncommitted === 0 || last === undefined) return
    const { offset, identity, appendTimeMicros } = last
    // A copy: the row is a view of its page, and the position outlives it.
    const fingerprint = { offset, identity: Buffer.from(identity), appendTimeMicros }
    const position: Position = { nextOffset: offset + 1n, logTimeMicros, last: fingerprint }
    await state.commit(claims, position)
    claims = []
    uncommitted = 0
    options.onProgress(position.nextOffset)
    // Heartbeats of other partitions get their turn.
    await pause(0)
  }

  pages: for await (const page of rows) {
    for (const row of page) {
      if (row.offset < expected) continue
      expected = passLost(expected, lost, row.offset)
      if (row.offset > expected) {
        beyondGap = row.offset
        break pages
      }
      expected += 1n
      logTimeMicros = Math.max(logTimeMicros, row.appendTimeMicros)
      last = row
      if (row.accepted) claims.push(claimOf(row, options.partition, logTimeMicros))
      uncommitted += 1
    }
    if (uncommitted >= rowsPerCommit) await commit()
  }
  await commit()
  return { nextOffset: passLost(expected, lost), beyondGap }
}

const claimOf = (row: LedgerRow, partition: LogPartition, logTimeMicros: number): NewClaim => ({
  identity: row.identity,
  claim: {
    first: { ...partition, offset: row.offset },
    payloadHash: row.payloadHash,
    logTimeMicros,
  },
})
