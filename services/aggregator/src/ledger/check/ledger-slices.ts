import type { LogPartition } from '../../place.ts'
import { ledgerColumns } from '../../rows.ts'
import { type CopyKind, copyTables, expectedHash, expectedHour } from '../copy-rows.ts'
import { countLost, fetchLostRanges, type LostRange } from '../lost-ranges.ts'
import { type Difference, difference, rangesOf } from './difference.ts'
import {
  addSum,
  type CheckScope,
  type CheckSources,
  gently,
  inScope,
  offsetsPerSlice,
  type SliceSums,
  scopeParams,
  sliceName,
  sliceTimeout,
} from './scope.ts'

const verdictNames = ['accepted', 'duplicate', 'conflict', 'correction', 'rejected'] as const

export type VerdictCounts = Record<(typeof verdictNames)[number], bigint>

/** What the ledger says, and what its copies must hold because of it. */
export type LedgerSums = {
  readonly verdicts: VerdictCounts
  readonly copies: Record<CopyKind, SliceSums>
  /** Accepted rows and corrections that have a raw event; voids have none. */
  raw: bigint
  offsets: bigint
  lost: bigint
}

export const emptyLedgerSums = (): LedgerSums => ({
  verdicts: { accepted: 0n, duplicate: 0n, conflict: 0n, correction: 0n, rejected: 0n },
  copies: { identity_copy: new Map(), cell_copy: new Map(), corrections: new Map() },
  raw: 0n,
  offsets: 0n,
  lost: 0n,
})

export type OffsetSlice = LogPartition & { readonly from: bigint; readonly to: bigint }

export function offsetSlices({ cut }: CheckScope): OffsetSlice[] {
  return cut.flatMap(({ log, partition, offset: end }) => {
    const slices: OffsetSlice[] = []
    for (let from = 0n; from < end; from += offsetsPerSlice) {
      const isLast = end - from <= offsetsPerSlice
      slices.push({ log, partition, from, to: isLast ? end : from + offsetsPerSlice })
    }
    return slices
  })
}

/** Every row of every copy that a row of the ledger may stand for. */
const expected = copyTables.flatMap((table) =>
  table.rows.map((row, index) => ({ table, row, name: `${table.kind}_${index}` })),
)

type Row = Record<string, string>

/** Reads one slice of the ledger: its gaps, rows that contradict each other, verdicts, and sums for the copies. */
export async function checkLedgerSlice(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  slice: OffsetSlice,
  sums: LedgerSums,
): Promise<Difference[]> {
  const lost = await fetchLostRanges(clickHouse, slice)
  const [row] = await clickHouse.query<Row>(
    sliceStatement(scope),
    {
      ...sliceParams(slice),
      ...lostParams(lost),
      ...scopeParams(scope),
    },
    sliceTimeout,
  )
  if (row === undefined) return []
  const lostHere = countLost(slice.from, slice.to, lost)
  addLedgerRow(sums, slice, row, lostHere)
  const missing = slice.to - slice.from - lostHere - numberIn(row, 'present')
  const contradicting = Number(numberIn(row, 'contradicting'))
  return [
    ...(missing === 0n ? [] : await findGaps({ clickHouse }, slice, lost)),
    ...(contradicting === 0
      ? []
      : [difference.contradiction({ ...slice, offset: numberIn(row, 'first') }, contradicting)]),
  ]
}

const sliceStatement = (scope: CheckScope): string =>
  `SELECT toString(countIf(NOT ${isLost('at')})) AS present, toString(countIf(two)) AS contradicting,
     toString(minIf(at, two)) AS first, toString(countIf(scoped AND has_raw)) AS raw,
     ${expected.map(({ name }) => `toString(countIf(${name}_is)) AS ${name}_rows, toString(sumIf(${name}, ${name}_is)) AS ${name}_hash`).join(', ')},
     ${verdictNames.map((name) => `toString(countIf(scoped AND said = '${name}')) AS ${name}`).join(', ')}
   FROM (
     SELECT offset AS at, min(whole) != max(whole) AS two, any(is_scoped) AS scoped, any(raw_is) AS has_raw,
       any(verdict_is) AS said,
       ${expected.map(({ name }) => `any(${name}_when) AS ${name}_is, any(${name}_of) AS ${name}`).join(', ')}
     FROM (
       SELECT log, partition, offset, verdict AS verdict_is, ${inScope(scope, 'hour')} AS is_scoped,
         verdict IN ('accepted', 'correction') AND type != '' AS raw_is,
         sipHash128(${ledgerColumns.join(', ')}) AS whole,
         ${expected.map(({ table, row, name }) => `(${row.when}) AND ${inScope(scope, expectedHour(table, row))} AS ${name}_when, ${expectedHash(table, row)} AS ${name}_of`).join(', ')}
       FROM usage_ledger WHERE ${ofSlice}
     ) GROUP BY log, partition, offset
   ) ${gently}, optimize_aggregation_in_order = 1`

const numberIn = (row: Row, name: string): bigint => BigInt(row[name] ?? 0)

function addLedgerRow(sums: LedgerSums, slice: OffsetSlice, row: Row, lost: bigint): void {
  const at = sliceName(slice.log, slice.partition, slice.from / offsetsPerSlice)
  for (const { table, name } of expected)
    addSum(sums.copies[table.kind], at, numberIn(row, `${name}_rows`), numberIn(row, `${name}_hash`))
  for (const verdict of verdictNames) sums.verdicts[verdict] += numberIn(row, verdict)
  sums.raw += numberIn(row, 'raw')
  sums.offsets += numberIn(row, 'present')
  sums.lost += lost
}

const mostGaps = 20_000

async function findGaps(
  { clickHouse }: CheckSources,
  slice: OffsetSlice,
  lost: readonly LostRange[],
): Promise<Difference[]> {
  const rows = await clickHouse.query<{ gap: string }>(
    `SELECT toString(number) AS gap FROM numbers({from:UInt64}, {to:UInt64} - {from:UInt64})
     WHERE NOT ${isLost('number')} AND number NOT IN (SELECT offset FROM usage_ledger WHERE ${ofSlice})
     ORDER BY number LIMIT ${mostGaps}`,
    { ...sliceParams(slice), ...lostParams(lost) },
    sliceTimeout,
  )
  const ranges = rangesOf(rows.map(({ gap }) => BigInt(gap)))
  return ranges.map(({ first, last }) => difference.gap({ ...slice, offset: first }, last))
}

export const ofSlice =
  'log = {log:UInt16} AND partition = {partition:UInt16} AND offset >= {from:UInt64} AND offset < {to:UInt64}'

export const sliceParams = ({ log, partition, from, to }: OffsetSlice) => ({
  log,
  partition,
  from: from.toString(),
  to: to.toString(),
})

const isLost = (offset: string): string =>
  `arrayExists((first, last) -> ${offset} >= first AND ${offset} <= last, {lostFirst:Array(UInt64)}, {lostLast:Array(UInt64)})`

const lostParams = (lost: readonly LostRange[]) => ({
  lostFirst: lost.map(({ first }) => first),
  lostLast: lost.map(({ last }) => last),
})
