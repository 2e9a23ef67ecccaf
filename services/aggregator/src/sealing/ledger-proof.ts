import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { inRanges, type OffsetRange } from '../usage/cut-range.ts'

/** A stretch that an operator has declared lost; both ends included. */
type LostRange = {
  readonly log: number
  readonly partition: number
  readonly first: bigint
  readonly last: bigint
}

/**
 * Proves that the ledger has a row for every offset of the ranges but for those that are recorded as lost.
 * @throws Failure `ledger_gap`: nothing may be sealed on top of what is missing
 */
export async function proveContiguous(clickHouse: ClickHouse, ranges: readonly OffsetRange[]): Promise<void> {
  if (ranges.length === 0) return
  const lost = mergeLost(await readLost(clickHouse))
  const found = await countOffsets(clickHouse, ranges, lost)
  for (const range of ranges) {
    const { log, partition, from, to } = range
    const counted = found.get(`${log}/${partition}`) ?? 0n
    const missing = to - from - lostWithin(range, lost) - counted
    if (missing === 0n) continue
    throw new Failure(
      `The ledger lacks ${missing} of the offsets ${from} to ${to - 1n} of partition ${partition} in log ${log}`,
      { code: 'ledger_gap', retryable: false },
    )
  }
}

async function readLost(clickHouse: ClickHouse): Promise<LostRange[]> {
  const rows = await clickHouse.query<{ log: number; partition: number; first: string; last: string }>(
    `SELECT DISTINCT log, partition, toString(first_offset) AS first, toString(last_offset) AS last
     FROM usage_lost ORDER BY log, partition, first_offset`,
  )
  return rows.map((row) => ({ ...row, first: BigInt(row.first), last: BigInt(row.last) }))
}

/** Two operators may have recorded ranges that overlap. Expects them in order of their first offsets. */
export function mergeLost(ranges: readonly LostRange[]): LostRange[] {
  const merged: LostRange[] = []
  for (const range of ranges) {
    const before = merged.at(-1)
    const touches =
      before?.log === range.log && before.partition === range.partition && range.first <= before.last + 1n
    if (!touches) merged.push(range)
    else if (range.last > before.last) merged.splice(-1, 1, { ...before, last: range.last })
  }
  return merged
}

export function lostWithin({ log, partition, from, to }: OffsetRange, lost: readonly LostRange[]): bigint {
  return lost
    .filter((range) => range.log === log && range.partition === partition)
    .map(({ first, last }) => (last + 1n < to ? last + 1n : to) - (first > from ? first : from))
    .reduce((sum, length) => sum + (length > 0n ? length : 0n), 0n)
}

/** Offsets of the ranges in the ledger, each once however often it was written, those declared lost left out. */
async function countOffsets(
  clickHouse: ClickHouse,
  ranges: readonly OffsetRange[],
  lost: readonly LostRange[],
): Promise<Map<string, bigint>> {
  const exceptions = lost.map(
    ({ log, partition, first, last }) =>
      `AND NOT (log = ${log} AND partition = ${partition} AND offset BETWEEN ${first} AND ${last})`,
  )
  const rows = await clickHouse.query<{ log: number; partition: number; found: string }>(
    `SELECT log, partition, toString(count()) AS found
     FROM (
       SELECT log, partition, offset FROM usage_ledger
       WHERE ${inRanges(ranges)} ${exceptions.join(' ')}
       GROUP BY log, partition, offset
     )
     GROUP BY log, partition SETTINGS optimize_aggregation_in_order = 1`,
    {},
    { timeoutMs: 600_000 },
  )
  return new Map(rows.map(({ log, partition, found }) => [`${log}/${partition}`, BigInt(found)]))
}
