import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { inRanges, rangesBetween } from './cut-range.ts'
import { type Hour, hoursOf, planHours } from './hour-plan.ts'
import { findPass, type PassOfMeter } from './seal-pass.ts'
import { type Keys, rawPart, sealedPart, type UsagePart } from './usage-part.ts'
import type { UsageQuery } from './usage-query.ts'

/** Lists of hours travel as parameters, which ClickHouse takes up to 128 KiB long. */
const hoursPerList = 9_000

/**
 * What a query has to read as of its cut: sealed hours where their seal holds exactly the events below the cut, raw
 * events otherwise. No part at all means that there is no event.
 */
export async function planParts(clickHouse: ClickHouse, query: UsageQuery, keys: Keys): Promise<UsagePart[]> {
  const pass = await findPass(clickHouse, query.meter, query.cut)
  if (!pass?.knowsMeter) return [rawPart(query, keys)]
  const [sealed, changed] = await Promise.all([
    readSealedHours(clickHouse, query, pass),
    readChangedHours(clickHouse, query, pass),
  ])
  const stale = new Set([...pass.dirtyHours, ...changed])
  const plan = planHours(query, query.windowStarts, { sealed, stale })
  const rawHours = [...plan.raw, ...(await readFilledHours(clickHouse, query, plan.unknown))]
  if (rawHours.length > hoursPerList) return [rawPart(query, keys)]
  return [
    ...(plan.sealed ? [sealedPart(query, keys, pass.sealVersion, rawHours)] : []),
    ...(rawHours.length > 0 ? [rawPart(query, keys, rawHours)] : []),
  ]
}

const inRange = "hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}"

function rangeParams(query: UsageQuery) {
  const hours = hoursOf(query)
  const { tenant, eventType } = query.meter
  return { tenant, type: eventType, firstHour: hours[0] ?? 0, lastHour: hours.at(-1) ?? 0 }
}

async function readSealedHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  { sealVersion }: PassOfMeter,
): Promise<Set<Hour>> {
  const rows = await clickHouse.query<{ sealedHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS sealedHour FROM usage_seals
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND ${inRange} AND seal_version <= {passVersion:UInt256}`,
    {
      ...rangeParams(query),
      meter: query.meter.key,
      version: query.meter.version,
      passVersion: sealVersion,
    },
  )
  return new Set(rows.map(({ sealedHour }) => sealedHour))
}

/** Hours that got events between the pass and the query's cut, or lost some to a correction. */
async function readChangedHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  pass: PassOfMeter,
): Promise<Hour[]> {
  const ranges = rangesBetween(pass.cut, query.cut)
  if (ranges.length === 0) return []
  const rows = await clickHouse.query<{ changedHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS changedHour
     FROM (
       SELECT hour FROM usage_ledger
       WHERE ${inRanges(ranges)} AND verdict IN ('accepted', 'correction')
         AND tenant = {tenant:String} AND type = {type:String}
       UNION ALL
       SELECT superseded_hour FROM usage_ledger
       WHERE ${inRanges(ranges)} AND verdict = 'correction'
         AND tenant = {tenant:String} AND superseded_type = {type:String}
     ) WHERE ${inRange}`,
    rangeParams(query),
  )
  return rows.map(({ changedHour }) => changedHour)
}

/** Those of the hours that have events, as the ledger's copy by cell says; empty hours cost next to nothing there. */
async function readFilledHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  hours: readonly Hour[],
): Promise<Hour[]> {
  const cut = atCut(query.cut)
  const filled: Hour[] = []
  for (let start = 0; start < hours.length; start += hoursPerList) {
    const rows = await clickHouse.query<{ filledHour: Hour }>(
      `SELECT DISTINCT toUnixTimestamp(hour) AS filledHour FROM usage_ledger_by_cell
       WHERE tenant = {tenant:String} AND type = {type:String}
         AND toUnixTimestamp(hour) IN {unknownHours:Array(UInt32)}
         AND verdict IN ('accepted', 'correction') AND ${cut.sql}`,
      { ...rangeParams(query), ...cut.params, unknownHours: hours.slice(start, start + hoursPerList) },
    )
    for (const { filledHour } of rows) filled.push(filledHour)
  }
  return filled
}
