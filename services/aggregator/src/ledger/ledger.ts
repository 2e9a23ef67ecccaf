import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
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

// Of one width each: this is read ten million times when a state is rebuilt.
const rowColumns = `offset, identity, toUnixTimestamp64Micro(append_time), verdict = 'accepted', payload_hash`
const identityAt = 8
const appendAt = identityAt + identityKeyBytes
const acceptedAt = appendAt + 8
const hashAt = acceptedAt + 1
const rowBytes = hashAt + 16
const ofPartition = 'log = {log:UInt16} AND partition = {partition:UInt16}'

/** Whole numbers below 2^53, little-endian. */
const wholeAt = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at + 4) * 4_294_967_296 + bytes.readUInt32LE(at)

/** Their buffers are views of the bytes. */
const toRows = (bytes: Buffer): LedgerRow[] =>
  Array.from({ length: bytes.length / rowBytes }, (_, row) => {
    const at = row * rowBytes
    return {
      offset: BigInt(wholeAt(bytes, at)),
      identity: bytes.subarray(at + identityAt, at + appendAt),
      appendTimeMicros: wholeAt(bytes, at + appendAt),
      accepted: bytes[at + acceptedAt] === 1,
      payloadHash: bytes.subarray(at + hashAt, at + rowBytes),
    }
  })

/** Offsets of one page: its rows are asked for as a whole, so that no broken answer passes for the ledger's end. */
const pageOffsets = 50_000n

/**
 * Rows from an offset on, in order, a page at a time, up to the end that the ledger has now; the next page is read while one is
 * worked on. The same offset may come more than once, then with the same content.
 */
export async function* streamLedger(
  clickHouse: ClickHouse,
  partition: LogPartition,
  from: bigint,
): AsyncGenerator<LedgerRow[]> {
  const [last] = await clickHouse.query<{ end: string }>(
    `SELECT max(offset) + 1 AS end FROM usage_ledger WHERE ${ofPartition} AND offset >= {from:UInt64}`,
    { ...partition, from: from.toString() },
    { timeoutMs: 300_000 },
  )
  const end = BigInt(last?.end ?? 0)
  const readPage = (at: bigint): Promise<Buffer> =>
    clickHouse.queryRowBinary(
      `SELECT ${rowColumns} FROM usage_ledger
       WHERE ${ofPartition} AND offset >= {at:UInt64} AND offset < {before:UInt64} ORDER BY log, partition, offset`,
      { ...partition, at: at.toString(), before: (at + pageOffsets).toString() },
      { timeoutMs: 120_000 },
    )
  let next: Promise<Buffer> | undefined = from < end ? readPage(from) : undefined
  for (let at = from; next !== undefined; at += pageOffsets) {
    const page: Buffer = await next
    next = at + pageOffsets < end ? readPage(at + pageOffsets) : undefined
    // Whoever stops reading does not wait for it, and its failure is nobody's.
    next?.catch(() => {})
    yield toRows(page)
  }
}

export async function fetchLedgerRow(
  clickHouse: ClickHouse,
  partition: LogPartition,
  offset: bigint,
): Promise<LedgerRow | undefined> {
  const sql = `SELECT ${rowColumns} FROM usage_ledger WHERE ${ofPartition} AND offset = {offset:UInt64} LIMIT 1`
  const [row] = toRows(await clickHouse.queryRowBinary(sql, { ...partition, offset: offset.toString() }))
  return row
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
