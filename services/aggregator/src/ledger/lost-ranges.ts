import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { LogPartition } from '../place.ts'

/** Offsets that an operator declared gone; both ends included. */
export type LostRange = { readonly first: bigint; readonly last: bigint }

type Row = { first_offset: string; last_offset: string }

/** In ascending order of their first offset. */
export async function fetchLostRanges(
  clickHouse: ClickHouse,
  { log, partition }: LogPartition,
): Promise<LostRange[]> {
  const rows = await clickHouse.query<Row>(
    `SELECT DISTINCT first_offset, last_offset FROM usage_lost
     WHERE log = {log:UInt16} AND partition = {partition:UInt16} ORDER BY first_offset, last_offset`,
    { log, partition },
  )
  return rows.map((row) => ({ first: BigInt(row.first_offset), last: BigInt(row.last_offset) }))
}

/** From `offset` on through what is lost, as far as that reaches but not beyond `limit`. */
export function passLost(offset: bigint, ranges: readonly LostRange[], limit?: bigint): bigint {
  let at = offset
  for (const { first, last } of ranges) if (first <= at && at <= last) at = last + 1n
  return limit !== undefined && at > limit ? limit : at
}

/** How many offsets of [from, to) are lost; ranges may overlap. */
export function countLost(from: bigint, to: bigint, ranges: readonly LostRange[]): bigint {
  let counted = 0n
  let at = from
  for (const { first, last } of ranges) {
    if (first > at) at = first
    const beyond = passLost(at, [{ first, last }], to)
    if (beyond <= at) continue
    counted += beyond - at
    at = beyond
  }
  return counted
}
