import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { inRanges, rangesBetween } from './cut-range.ts'
import { type Hour, hoursOf } from './hour-plan.ts'
import { findPass, type PassOfMeter } from './seal-pass.ts'
import type { UsageQuery } from './usage-query.ts'

/** Of a query, what decides which of its hours are sealed. */
export type HoursAsked = Pick<UsageQuery, 'meter' | 'cut' | 'from' | 'to'>

/**
 * What is known of a meter's hours as of a cut. It follows from the ledger below the cut and from one sealing pass, and
 * stays true when later passes come; they only seal more.
 */
export type MeterHours = {
  /** The pass: an hour is taken in the newest version up to this one. */
  readonly sealVersion: string
  readonly sealed: ReadonlySet<Hour>
  /** Left unsealed by the pass, or with events between its cut and ours: a seal does not hold all of them. */
  readonly stale: ReadonlySet<Hour>
  /** Neither, and they have events. */
  readonly filled: ReadonlySet<Hour>
}

/** Undefined where no pass knows the meter: nothing of it is sealed. */
export type ReadHours = (clickHouse: ClickHouse, asked: HoursAsked) => Promise<MeterHours | undefined>

/** Lists of hours travel as parameters, which ClickHouse takes up to 128 KiB long. */
export const hoursPerList = 9_000

export const readHours: ReadHours = async (clickHouse, asked) => {
  const pass = await findPass(clickHouse, asked.meter, asked.cut)
  if (!pass?.knowsMeter) return undefined
  const [sealed, changed] = await Promise.all([
    readSealedHours(clickHouse, asked, pass),
    readChangedHours(clickHouse, asked, pass),
  ])
  const stale = new Set([...pass.dirtyHours, ...changed])
  const unknown = hoursOf(asked).filter((hour) => !sealed.has(hour) && !stale.has(hour))
  const filled = new Set(await readFilledHours(clickHouse, asked, unknown))
  return { sealVersion: pass.sealVersion, sealed, stale, filled }
}

const inRange = "hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}"

function rangeParams(asked: HoursAsked) {
  const hours = hoursOf(asked)
  const { tenant, eventType } = asked.meter
  return { tenant, type: eventType, firstHour: hours[0] ?? 0, lastHour: hours.at(-1) ?? 0 }
}

async function readSealedHours(
  clickHouse: ClickHouse,
  asked: HoursAsked,
  { sealVersion }: PassOfMeter,
): Promise<Set<Hour>> {
  const rows = await clickHouse.query<{ sealedHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS sealedHour FROM usage_seals
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND ${inRange} AND seal_version <= {passVersion:UInt256}`,
    {
      ...rangeParams(asked),
      meter: asked.meter.key,
      version: asked.meter.version,
      passVersion: sealVersion,
    },
  )
  return new Set(rows.map(({ sealedHour }) => sealedHour))
}

/** Hours that got events between the pass and the query's cut, or lost some to a correction. */
async function readChangedHours(
  clickHouse: ClickHouse,
  asked: HoursAsked,
  pass: PassOfMeter,
): Promise<Hour[]> {
  const ranges = rangesBetween(pass.cut, asked.cut)
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
    rangeParams(asked),
  )
  return rows.map(({ changedHour }) => changedHour)
}

/** Those of the hours that have events, as the ledger's copy by cell says; empty hours cost next to nothing there. */
async function readFilledHours(
  clickHouse: ClickHouse,
  asked: HoursAsked,
  hours: readonly Hour[],
): Promise<Hour[]> {
  const cut = atCut(asked.cut)
  const filled: Hour[] = []
  for (let start = 0; start < hours.length; start += hoursPerList) {
    const rows = await clickHouse.query<{ filledHour: Hour }>(
      `SELECT DISTINCT toUnixTimestamp(hour) AS filledHour FROM usage_ledger_by_cell
       WHERE tenant = {tenant:String} AND type = {type:String}
         AND toUnixTimestamp(hour) IN {unknownHours:Array(UInt32)}
         AND verdict IN ('accepted', 'correction') AND ${cut.sql}`,
      { ...rangeParams(asked), ...cut.params, unknownHours: hours.slice(start, start + hoursPerList) },
    )
    for (const { filledHour } of rows) filled.push(filledHour)
  }
  return filled
}
