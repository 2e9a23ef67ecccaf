import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, oneThread } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { inRanges, rangesBetween } from './cut-range.ts'
import { type Hour, hoursOf } from './hour-plan.ts'
import { findPass, type PassOfMeter } from './seal-pass.ts'
import type { UsageQuery } from './usage-query.ts'

/** Of a query, what decides which of its hours are sealed. */
export type HoursAsked = Pick<UsageQuery, 'meter' | 'cut' | 'from' | 'to'>

/** An hour as it is published: its rows are those of exactly this version. */
type Seal = { readonly version: bigint; readonly events: bigint }

/**
 * What one sealing pass says of a meter's hours in a range. It stays true at every cut that the pass's own lies below, but
 * for the hours that have changed since; later passes only seal more.
 */
export type PassedHours = Pick<PassOfMeter, 'cut' | 'sealVersion'> & {
  /** In the newest version up to the pass. */
  readonly sealed: ReadonlyMap<Hour, Seal>
  /** They have events, and the pass left them unsealed. */
  readonly unsealed: readonly Hour[]
}

/** What is known of a meter's hours as of a cut. An hour that is neither sealed nor stale has no events. */
export type MeterHours = {
  /** The pass: an hour is taken in the newest version up to this one. */
  readonly sealVersion: string
  readonly sealed: ReadonlyMap<Hour, Seal>
  /** Left unsealed by the pass, or with events between its cut and ours: a seal does not hold all of them. */
  readonly stale: ReadonlySet<Hour>
}

/** Undefined where no pass knows the meter: nothing of it is sealed. */
export type ReadHours = (clickHouse: ClickHouse, asked: HoursAsked) => Promise<MeterHours | undefined>

/** Lists of hours travel as parameters, which ClickHouse takes up to 128 KiB long. */
export const hoursPerList = 9_000

export const readHours: ReadHours = async (clickHouse, asked) => {
  const passed = await readPassedHours(clickHouse, asked)
  return passed && hoursAt(passed, await readChangedHours(clickHouse, asked, passed))
}

export const hoursAt = (
  { sealVersion, sealed, unsealed }: PassedHours,
  changed: readonly Hour[],
): MeterHours => ({ sealVersion, sealed, stale: new Set([...unsealed, ...changed]) })

export async function readPassedHours(
  clickHouse: ClickHouse,
  asked: HoursAsked,
): Promise<PassedHours | undefined> {
  const pass = await findPass(clickHouse, asked.meter, asked.cut)
  if (!pass?.knowsMeter) return undefined
  const sealed = await readSealedHours(clickHouse, asked, pass)
  const dirty = new Set(pass.dirtyHours)
  const unknown = hoursOf(asked).filter((hour) => !sealed.has(hour) && !dirty.has(hour))
  const filled = await readFilledHours(clickHouse, { ...asked, cut: pass.cut }, unknown)
  return { cut: pass.cut, sealVersion: pass.sealVersion, sealed, unsealed: [...dirty, ...filled] }
}

function rangeParams(asked: HoursAsked) {
  const hours = hoursOf(asked)
  const { tenant, eventType } = asked.meter
  return { tenant, type: eventType, firstHour: hours[0] ?? 0, lastHour: hours.at(-1) ?? 0 }
}

async function readSealedHours(
  clickHouse: ClickHouse,
  asked: HoursAsked,
  { sealVersion }: PassOfMeter,
): Promise<Map<Hour, Seal>> {
  const rows = await clickHouse.query<{ sealedHour: Hour; version: string; events: string }>(
    `SELECT toUnixTimestamp(hour) AS sealedHour, toString(max(seal_version)) AS version,
       toString(argMax(matched_count, seal_version)) AS events
     FROM usage_seals
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}
       AND seal_version <= {passVersion:UInt256}
     GROUP BY hour ${oneThread}`,
    {
      ...rangeParams(asked),
      meter: asked.meter.key,
      version: asked.meter.version,
      passVersion: sealVersion,
    },
  )
  return new Map(
    rows.map(({ sealedHour, version, events }) => [
      sealedHour,
      { version: BigInt(version), events: BigInt(events) },
    ]),
  )
}

/** Hours of any range that got events between the pass and the cut, or lost some to a correction. */
export async function readChangedHours(
  clickHouse: ClickHouse,
  { meter, cut }: Pick<HoursAsked, 'meter' | 'cut'>,
  pass: Pick<PassedHours, 'cut'>,
): Promise<Hour[]> {
  const ranges = rangesBetween(pass.cut, cut)
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
     )`,
    { tenant: meter.tenant, type: meter.eventType },
  )
  return rows.map(({ changedHour }) => changedHour)
}

/**
 * Those of the hours that have events, as the ledger's copy by cell says. A pass names all that it left unsealed, so there
 * are none; but an hour without a seal is never taken for zero unasked, and empty hours cost next to nothing there.
 */
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
