import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { keptMicros, type NewClaim } from '../deduplication/decide.ts'
import type { DeduplicationState } from '../deduplication/state.ts'

export type EarlierLogs = {
  readonly clickHouse: ClickHouse
  /** The log that is opened; those below its number are closed. */
  readonly log: number
  readonly partition: number
  /** Partitions of that log: an identity may have lain in another one before. */
  readonly partitions: number
  readonly horizonMicros: number
  /** Ends it early, with the signal's reason. */
  readonly signal: AbortSignal
}

type Row = {
  identityHex: string
  log: number
  partition: number
  offset: string
  hash: string
  appendMicros: string
}

const claimsPerCommit = 20_000
const timeout = { timeoutMs: 1_800_000 }

/**
 * Carries an empty state over from the logs before: the identities that belong to this partition now and have not expired,
 * and log time, which goes on from its maximum in all of them. A function of the ledger alone, so that a state that is lost
 * later becomes the same again. What has expired, the ledger is asked for, as always.
 */
export async function seedFromEarlierLogs(state: DeduplicationState, options: EarlierLogs): Promise<number> {
  const { clickHouse, log } = options
  const [end] = await clickHouse.query<{ micros: string }>(
    'SELECT toString(toUnixTimestamp64Micro(max(append_time))) AS micros FROM usage_ledger WHERE log < {log:UInt16}',
    { log },
    timeout,
  )
  const logTimeMicros = Math.max(0, Number(end?.micros ?? 0))
  let seeded = 0
  let claims: NewClaim[] = []
  const commit = async (atMicros: number): Promise<void> => {
    options.signal.throwIfAborted()
    await state.commit(claims, { nextOffset: 0n, logTimeMicros: atMicros, last: undefined })
    seeded += claims.length
    claims = []
  }
  for await (const row of readAccepted(options, logTimeMicros - keptMicros(options.horizonMicros))) {
    claims.push(claimOf(row))
    // Each portion expires at its own time: rows come in the order of theirs.
    if (claims.length === claimsPerCommit) await commit(Number(row.appendMicros))
  }
  await commit(logTimeMicros)
  return seeded
}

// The partition of an identity as partitionOf computes it: its last six bytes, big-endian, modulo the count.
const belongsHere =
  'reinterpretAsUInt64(reverse(substring(identity, 15, 6))) % {partitions:UInt16} = {partition:UInt16}'

const readAccepted = (
  { clickHouse, log, partition, partitions }: EarlierLogs,
  keptFromMicros: number,
): AsyncIterable<Row> =>
  clickHouse.stream<Row>(
    `SELECT hex(identity) AS identityHex, log, partition, offset, hex(payload_hash) AS hash,
       toString(toUnixTimestamp64Micro(append_time)) AS appendMicros
     FROM usage_ledger
     WHERE log < {log:UInt16} AND verdict = 'accepted' AND ${belongsHere}
       AND toUnixTimestamp64Micro(append_time) >= {keptFrom:Int64}
     ORDER BY append_time, log, partition, offset`,
    { log, partition, partitions, keptFrom: keptFromMicros },
    timeout,
  )

const claimOf = (row: Row): NewClaim => ({
  identity: Buffer.from(row.identityHex, 'hex'),
  claim: {
    first: { log: row.log, partition: row.partition, offset: BigInt(row.offset) },
    payloadHash: Buffer.from(row.hash, 'hex'),
    logTimeMicros: Number(row.appendMicros),
  },
})
