import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { CloseStopped } from './stop.ts'

/** Offsets of a partition, both ends included. */
export type OffsetRange = {
  readonly log: number
  readonly partition: number
  readonly first: bigint
  readonly last: bigint
}

/**
 * Every offset below the cut has a row in the ledger or lies in a range that an operator recorded as lost.
 * @returns the lost ranges that reach below the cut
 * @throws CloseStopped `ledger_gap`
 */
export async function checkLedgerGaps(clickHouse: ClickHouse, cut: Cut): Promise<OffsetRange[]> {
  const lost = await readLost(clickHouse, cut)
  const counts = await clickHouse.query<{ log: number; partition: number; count: string }>(
    `SELECT log, partition, toString(count()) AS count FROM usage_ledger FINAL
     WHERE ${atCut(cut).sql} GROUP BY log, partition`,
    atCut(cut).params,
  )
  const short = cut.filter(({ log, partition, offset }) => {
    const row = counts.find((each) => each.log === log && each.partition === partition)
    return BigInt(row?.count ?? 0) !== offset
  })
  for (const entry of short)
    for await (const each of readGaps(clickHouse, entry)) {
      const gap = uncovered([each], lost)
      if (gap) throw stopped(gap)
    }
  return lost
}

function stopped({ log, partition, first, last }: OffsetRange): CloseStopped {
  return new CloseStopped(
    `The ledger has no rows for offsets ${first} to ${last} of log ${log} partition ${partition}: nothing is closed. If they are truly gone, record them in usage_lost.`,
    'ledger_gap',
    { log, partition, first: `${first}`, last: `${last}` },
  )
}

/** The first part of a gap that no lost range covers. */
export function uncovered(
  gaps: readonly OffsetRange[],
  lost: readonly OffsetRange[],
): OffsetRange | undefined {
  for (const gap of gaps) {
    let first = gap.first
    const covering = lost
      .filter(({ log, partition }) => log === gap.log && partition === gap.partition)
      .sort((a, b) => (a.first < b.first ? -1 : 1))
    for (const range of covering) if (range.first <= first && range.last >= first) first = range.last + 1n
    if (first <= gap.last) return { ...gap, first }
  }
  return undefined
}

type RangeRow = { log: number; partition: number; first: string; last: string }

const rangeOf = ({ log, partition, first, last }: RangeRow): OffsetRange => ({
  log,
  partition,
  first: BigInt(first),
  last: BigInt(last),
})

async function readLost(clickHouse: ClickHouse, cut: Cut): Promise<OffsetRange[]> {
  const rows = await clickHouse.query<RangeRow>(
    `SELECT log, partition, toString(first_offset) AS first, toString(last_offset) AS last FROM usage_lost FINAL
     ORDER BY log, partition, first_offset, last_offset`,
  )
  return rows.map(rangeOf).filter(({ log, partition, first }) => {
    const end = cut.find((entry) => entry.log === log && entry.partition === partition)?.offset ?? 0n
    return first < end
  })
}

/** All of them, in order: a partition may have lost a little very often, and not what comes after it. */
async function* readGaps(
  clickHouse: ClickHouse,
  { log, partition, offset }: Cut[number],
): AsyncGenerator<OffsetRange> {
  const rows = clickHouse.stream<RangeRow>(
    `SELECT {log:UInt16} AS log, {partition:UInt16} AS partition,
       toString(before + 1) AS first, toString(here - 1) AS last
     FROM (
       SELECT toInt64(offset) AS here,
         lagInFrame(here, 1, -1) OVER (ORDER BY here ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
       FROM (
         SELECT DISTINCT offset FROM usage_ledger
         WHERE log = {log:UInt16} AND partition = {partition:UInt16} AND offset < {end:UInt64}
         UNION ALL SELECT {end:UInt64}
       )
     ) WHERE here > before + 1 ORDER BY here`,
    { log, partition, end: offset.toString() },
  )
  for await (const row of rows) yield rangeOf(row)
}
