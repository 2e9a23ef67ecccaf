import type { Place } from '../../place.ts'
import { counted } from '../../sealing/dirty-cells.ts'
import { type CellName, type Difference, difference, type RawFault } from './difference.ts'
import { belowCut, type CheckScope, type CheckSources, sliceTimeout } from './scope.ts'

type Found = { log: number; partition: number; offset: string; raws: string; rawHash: string }
type Judge = { log: number; partition: number; offset: string; cell: CellName; hash: string }

/** Rows of a cell that differs, and places asked about, at a time. */
const mostPlaces = 1_000

/** Where raw events and the copy by cell differ, the ledger says which raw events there must be. */
export async function judgeCell(
  sources: CheckSources,
  scope: CheckScope,
  cell: CellName,
): Promise<Difference[]> {
  const cut = belowCut(scope)
  const found = await sources.clickHouse.query<Found>(
    `SELECT log, partition, toString(at) AS offset, toString(raws) AS raws, rawHash FROM (
       SELECT log, partition, offset AS at, countIf(side = 1) AS copies, countIf(side = 2) AS raws,
         hex(anyIf(payload_hash, side = 2)) AS rawHash, min(payload_hash) != max(payload_hash) AS unequal
       FROM (
         SELECT log, partition, offset, payload_hash, 1 AS side FROM usage_ledger_by_cell FINAL
         WHERE tenant = {tenant:String} AND type = {type:String} AND toUnixTimestamp(hour) = {hour:UInt32}
           AND ${counted} AND ${cut.sql}
         UNION ALL
         SELECT log, partition, offset, payload_hash, 2 AS side FROM usage_events FINAL
         WHERE tenant = {tenant:String} AND type = {type:String} AND toDate(time) = toDate(toDateTime({hour:UInt32}, 'UTC'))
           AND toUnixTimestamp(toStartOfHour(time)) = {hour:UInt32} AND ${cut.sql}
       ) GROUP BY log, partition, offset HAVING copies != 1 OR raws != 1 OR unequal
     ) ORDER BY log, partition, at LIMIT ${mostPlaces}`,
    { ...cell, ...cut.params },
    sliceTimeout,
  )
  const judges = await readJudges(sources, found.map(placeOf))
  return found.flatMap((row) => {
    const place = placeOf(row)
    const judge = judges.get(nameOf(place))
    const isHere = judge !== undefined && sameCell(judge.cell, cell)
    const fault = faultOf(isHere ? judge : undefined, Number(row.raws), row.rawHash)
    return fault === undefined ? [] : [difference.raw(fault, place, cell)]
  })
}

/** What is wrong with the raw rows of a place, given the ledger's accepted row, if there is one. */
function faultOf(judge: Judge | undefined, raws: number, rawHash: string): RawFault | undefined {
  if (judge === undefined) return raws > 0 ? 'raw_surplus' : undefined
  if (raws === 0) return 'raw_missing'
  if (raws > 1) return 'raw_twice'
  return rawHash === judge.hash ? undefined : 'raw_differs'
}

/**
 * Where the ledger and the copy by cell differ, raw events cannot be judged cell by cell: they are looked for one by one,
 * wherever they lie.
 */
export async function judgePlaces(sources: CheckSources, places: readonly Place[]): Promise<Difference[]> {
  if (places.length === 0) return []
  const judges = await readJudges(sources, places)
  const rows = await sources.clickHouse.query<Pick<Found, 'log' | 'partition' | 'offset'> & CellName>(
    `SELECT DISTINCT log, partition, offset, tenant, type, toUnixTimestamp(toStartOfHour(time)) AS hour
     FROM usage_events WHERE ${atPlaces}`,
    placeParams(places),
    sliceTimeout,
  )
  const raws = new Map(rows.map((row) => [nameOf(placeOf(row)), row]))
  return places.flatMap((place) => {
    const judge = judges.get(nameOf(place))
    const raw = raws.get(nameOf(place))
    if (judge !== undefined && raw === undefined) return [difference.raw('raw_missing', place, judge.cell)]
    if (judge === undefined && raw !== undefined) return [difference.raw('raw_surplus', place, raw)]
    return []
  })
}

type JudgeRow = Omit<Judge, 'cell'> & CellName

/** What the ledger accepted at the places, by name. */
async function readJudges(sources: CheckSources, places: readonly Place[]): Promise<Map<string, Judge>> {
  if (places.length === 0) return new Map()
  const rows = await sources.clickHouse.query<JudgeRow>(
    `SELECT log, partition, offset, tenant, type, toUnixTimestamp(hour) AS hour,
       hex(payload_hash) AS hash
     FROM usage_ledger FINAL WHERE ${atPlaces} AND ${counted} AND type != ''`,
    placeParams(places),
    sliceTimeout,
  )
  return new Map(
    rows.map(({ tenant, type, hour, ...row }) => [
      nameOf(placeOf(row)),
      { ...row, cell: { tenant, type, hour } },
    ]),
  )
}

const atPlaces =
  '(log, partition, offset) IN arrayZip({logs:Array(UInt16)}, {partitions:Array(UInt16)}, {offsets:Array(UInt64)})'

const placeParams = (places: readonly Place[]) => ({
  logs: places.map(({ log }) => log),
  partitions: places.map(({ partition }) => partition),
  offsets: places.map(({ offset }) => offset),
})

const placeOf = ({ log, partition, offset }: Pick<Found, 'log' | 'partition' | 'offset'>): Place => ({
  log,
  partition,
  offset: BigInt(offset),
})

const nameOf = ({ log, partition, offset }: Place): string => `${log}/${partition}/${offset}`

const sameCell = (a: CellName, b: CellName): boolean =>
  a.tenant === b.tenant && a.type === b.type && a.hour === b.hour
