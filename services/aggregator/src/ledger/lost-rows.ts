import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { OffsetRange } from './ledger-order.ts'
import { fetchLostRanges, type LostRange } from './lost-ranges.ts'

/** What a batch writes before its rows of the ledger. */
const evidenceTables = [
  'usage_events',
  'usage_corrections',
  'usage_ledger_by_identity',
  'usage_ledger_by_cell',
] as const

const timeout = { timeoutMs: 600_000 }
/** Offsets that one statement names. */
const offsetsPerDeletion = 5_000

/** The parts of the range that are recorded as lost, each offset in one of them. */
export async function lostWithin(clickHouse: ClickHouse, range: OffsetRange): Promise<LostRange[]> {
  const parts: LostRange[] = []
  let from = range.first
  for (const lost of await fetchLostRanges(clickHouse, range)) {
    const first = larger(lost.first, from)
    const last = smaller(lost.last, range.last)
    if (first > last) continue
    parts.push({ first, last })
    from = last + 1n
  }
  return parts
}

/**
 * Removes what an attempt that broke off has left at lost offsets: the ledger will never name them, so that their hours
 * could never be proved. What the ledger has rows for all the same is not touched.
 * @returns rows by table, also where they are only counted
 */
export async function removeLostRows(
  clickHouse: ClickHouse,
  { log, partition }: OffsetRange,
  lost: readonly LostRange[],
  { dryRun }: { dryRun: boolean },
): Promise<{ table: string; rows: bigint }[]> {
  if (lost.length === 0) return []
  const ofPartition = `log = ${log} AND partition = ${partition}`
  const isLost = lost.map(({ first, last }) => `offset BETWEEN ${first} AND ${last}`).join(' OR ')
  const where = `${ofPartition} AND (${isLost})`
  const left = `${where} AND offset NOT IN (SELECT offset FROM usage_ledger WHERE ${where})`
  const removed = []
  for (const table of evidenceTables) {
    const [row] = await clickHouse.query<{ rows: string }>(
      `SELECT toString(count()) AS rows FROM ${table} WHERE ${left}`,
      {},
      timeout,
    )
    const rows = BigInt(row?.rows ?? 0)
    if (rows > 0n) removed.push({ table, rows })
    if (rows > 0n && !dryRun) await removeFrom(clickHouse, table, ofPartition, left)
  }
  return removed
}

async function removeFrom(
  clickHouse: ClickHouse,
  table: string,
  ofPartition: string,
  left: string,
): Promise<void> {
  for (;;) {
    const found = await clickHouse.query<{ place: string }>(
      `SELECT DISTINCT toString(offset) AS place FROM ${table} WHERE ${left} LIMIT ${offsetsPerDeletion}`,
      {},
      timeout,
    )
    if (found.length === 0) return
    const offsets = found.map(({ place }) => place).join(', ')
    await clickHouse.command(
      `ALTER TABLE ${table} DELETE WHERE ${ofPartition} AND offset IN (${offsets}) SETTINGS mutations_sync = 2`,
      {},
      timeout,
    )
  }
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const smaller = (a: bigint, b: bigint): bigint => (a > b ? b : a)
