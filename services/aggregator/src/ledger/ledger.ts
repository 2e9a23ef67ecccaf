import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { LedgerClaim } from '../deduplication/decide.ts'
import { identityText } from '../deduplication/decide.ts'
import type { Fingerprint } from '../deduplication/position.ts'
import type { LogPartition } from '../place.ts'
import { countLost, type LostRange } from './lost-ranges.ts'

/** A row of the ledger as a rebuild of the state needs it. */
export type LedgerRow = Fingerprint & {
  readonly accepted: boolean
  readonly payloadHash: Buffer
}

type RowText = { o: string; i: string; t: string; v: 0 | 1; p: string }

// Short names: this text is read ten million times when a state is rebuilt.
const rowColumns = `offset AS o, hex(identity) AS i, toUnixTimestamp64Micro(append_time) AS t,
  verdict = 'accepted' AS v, hex(payload_hash) AS p`
const ofPartition = 'log = {log:UInt16} AND partition = {partition:UInt16}'

const toRow = (text: RowText): LedgerRow => ({
  offset: BigInt(text.o),
  identity: Buffer.from(text.i, 'hex'),
  appendTimeMicros: Number(text.t),
  accepted: text.v === 1,
  payloadHash: Buffer.from(text.p, 'hex'),
})

/** Rows from an offset on, in order. The same offset may come more than once, then with the same content. */
export async function* streamLedger(
  clickHouse: ClickHouse,
  partition: LogPartition,
  from: bigint,
): AsyncGenerator<LedgerRow> {
  const sql = `SELECT ${rowColumns} FROM usage_ledger
    WHERE ${ofPartition} AND offset >= {from:UInt64} ORDER BY log, partition, offset`
  const params = { ...partition, from: from.toString() }
  for await (const text of clickHouse.stream<RowText>(sql, params)) yield toRow(text)
}

export async function fetchLedgerRow(
  clickHouse: ClickHouse,
  partition: LogPartition,
  offset: bigint,
): Promise<LedgerRow | undefined> {
  const sql = `SELECT ${rowColumns} FROM usage_ledger WHERE ${ofPartition} AND offset = {offset:UInt64} LIMIT 1`
  const [text] = await clickHouse.query<RowText>(sql, { ...partition, offset: offset.toString() })
  return text && toRow(text)
}

// Rows of one count: small enough that a gap is then found by reading rows, large enough that counts are few.
const chunkOffsets = 1_000_000n

/**
 * Proves the beginning of the ledger contiguous, from offset 0 on, by counting in chunks; lost ranges count as present.
 * Everything below the returned offset is there; what comes after it must be proved row by row.
 */
export async function countContiguous(
  clickHouse: ClickHouse,
  partition: LogPartition,
  lost: readonly LostRange[],
): Promise<bigint> {
  const sql = `SELECT intDiv(offset, {chunk:UInt64}) AS chunk, count() AS present FROM usage_ledger FINAL
    WHERE ${ofPartition} AND NOT arrayExists((first, last) -> offset BETWEEN first AND last,
      {lostFirst:Array(UInt64)}, {lostLast:Array(UInt64)})
    GROUP BY chunk ORDER BY chunk`
  const params = {
    ...partition,
    chunk: chunkOffsets.toString(),
    // As bigints: the client writes texts in an array with quotes, which no number is read from.
    lostFirst: lost.map(({ first }) => first),
    lostLast: lost.map(({ last }) => last),
  }
  const rows = await clickHouse.query<{ chunk: string; present: string }>(sql, params, { timeoutMs: 300_000 })
  const present = new Map(rows.map((row) => [BigInt(row.chunk), BigInt(row.present)]))
  for (let chunk = 0n; ; chunk += 1n) {
    const from = chunk * chunkOffsets
    const to = from + chunkOffsets
    if ((present.get(chunk) ?? 0n) + countLost(from, to, lost) !== chunkOffsets) return from
  }
}

/**
 * The first offset below `end` whose identity may still count: log time there reaches to within `keptMicros` of the log
 * time at `end`. Before it, append times are lower still, so reading may begin here.
 */
export async function findKeptFrom(
  clickHouse: ClickHouse,
  partition: LogPartition,
  end: bigint,
  keptMicros: number,
): Promise<bigint> {
  if (end === 0n) return 0n
  const sql = `SELECT min(offset) AS start FROM usage_ledger
    WHERE ${ofPartition} AND offset < {end:UInt64} AND toUnixTimestamp64Micro(append_time) >= (
      SELECT max(toUnixTimestamp64Micro(append_time)) FROM usage_ledger WHERE ${ofPartition} AND offset < {end:UInt64}
    ) - {kept:Int64}`
  const params = { ...partition, end: end.toString(), kept: keptMicros.toString() }
  const [row] = await clickHouse.query<{ start: string }>(sql, params, { timeoutMs: 300_000 })
  return BigInt(row?.start ?? 0)
}

// An identity takes 41 characters of the statement, which ClickHouse bounds at 256 KiB.
export const identitiesPerQuery = 5_000

/** A condition on `identity` for at most `identitiesPerQuery` of them. */
export const inIdentities = (identities: readonly Buffer[]): string =>
  `identity IN (SELECT CAST(unhex(arrayJoin(splitByChar(',',
    '${identities.map((identity) => identity.toString('hex')).join(',')}'))), 'FixedString(20)'))`

/**
 * Every accepted record of the given identities, in whatever log and partition. The copy by identity says where they lie;
 * what counts is the ledger: a batch that broke off has its rows in the copy alone, and where its log was lost it is never
 * accepted.
 */
export async function findByIdentity(
  clickHouse: ClickHouse,
  identities: readonly Buffer[],
): Promise<Map<string, LedgerClaim[]>> {
  const found = new Map<string, LedgerClaim[]>()
  for (let at = 0; at < identities.length; at += identitiesPerQuery) {
    // No alias repeats a column's name: ClickHouse would take it for the column in WHERE.
    const rows = await clickHouse.query<{
      key: string
      log: number
      partition: number
      offset: string
      payloadHash: string
    }>(
      `SELECT hex(identity) AS key, log, partition, offset, hex(payload_hash) AS payloadHash
       FROM usage_ledger
       WHERE verdict = 'accepted' AND (log, partition, offset) IN (
         SELECT log, partition, offset FROM usage_ledger_by_identity
         WHERE verdict = 'accepted' AND ${inIdentities(identities.slice(at, at + identitiesPerQuery))})`,
    )
    for (const row of rows) {
      const key = identityText(Buffer.from(row.key, 'hex'))
      const claims = found.get(key) ?? []
      const first = { log: row.log, partition: row.partition, offset: BigInt(row.offset) }
      claims.push({ first, payloadHash: Buffer.from(row.payloadHash, 'hex') })
      found.set(key, claims)
    }
  }
  return found
}
