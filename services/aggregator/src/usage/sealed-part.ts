import type { Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { usedColumns } from '../aggregation/fold.ts'
import { finalSettings } from '../aggregation/measured-events.ts'
import { type Hour, secondsPerHour } from './hour-plan.ts'
import type { MeterHours } from './meter-hours.ts'
import {
  bySubject,
  commonParams,
  dimensionsOf,
  filtersOf,
  type Keys,
  subjectOf,
  type UsagePart,
  windowOf,
} from './usage-part.ts'
import type { UsageQuery } from './usage-query.ts'

/** As many fit into a parameter, which ClickHouse takes up to 128 KiB long: a version has up to 60 digits, its place 4. */
const versionsPerList = 2_000
const placesPerList = 20_000

/**
 * Sealed hours, each in exactly the version that is published for it. Rows of one version are the same however often they
 * were written, so FINAL would do, but takes twice the time. Of some subjects one row of each hour is taken. Over all
 * subjects the seals tell how many events the rows stand for: as long as the rows say the same, none is there twice.
 */
export function sealedPart(
  query: UsageQuery,
  keys: Keys,
  known: MeterHours,
  hours: readonly Hour[],
): UsagePart {
  const by =
    keys === 'groups'
      ? `${windowOf('hour')} AS w, ${subjectOf(query)} AS s, ${dimensionsOf(query)} AS g`
      : `${windowOf('hour')} AS w, subject, dimensions, hour AS cell`
  const byDimension = filtersOf(query)
  const versions = inVersions(known, hours)
  const read = (final: string, once = ''): Sql => ({
    sql: `SELECT ${by}, event_count AS sealed_events, event_count, unreadable, ${usedColumns(query.meter).join(', ')}
      FROM usage_hourly ${final}
      WHERE ${ofMeter} AND ${inRange} AND ${versions.sql} ${bySubject(query)}
        ${byDimension.sql === '' ? '' : `AND ${byDimension.sql}`}
      ${once} ${finalSettings}`,
    params: {
      ...commonParams(query),
      ...byDimension.params,
      ...versions.params,
      meter: query.meter.key,
      version: query.meter.version,
      firstHour: hours[0] ?? 0,
      lastHour: hours.at(-1) ?? 0,
    },
  })
  if (keys === 'series') return read('FINAL')
  if (query.subjects !== undefined) return read('', 'LIMIT 1 BY subject, hour, dimensions')
  if (byDimension.sql !== '') return read('FINAL')
  const sealedEvents = hours.reduce((sum, hour) => sum + (known.sealed.get(hour)?.events ?? 0n), 0n)
  return { ...read(''), onceIf: { sealedEvents, otherwise: read('FINAL') } }
}

const ofMeter = 'tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}'
const inRange = "hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}"

/** Rows of the hours in the versions that are known, as a condition; of any other hour none. */
function inVersions(known: MeterHours, hours: readonly Hour[]): Sql {
  // No seal has version 0.
  const versions = [0n]
  const places = new Map<bigint, number>()
  const first = hours[0] ?? 0
  const placeByHour = new Array<number>(((hours.at(-1) ?? 0) - first) / secondsPerHour + 1).fill(1)
  for (const hour of hours) {
    const version = known.sealed.get(hour)?.version ?? 0n
    const place = places.get(version) ?? versions.push(version)
    places.set(version, place)
    placeByHour[(hour - first) / secondsPerHour] = place
  }
  if (versions.length > versionsPerList || placeByHour.length > placesPerList) return bySeals(known, hours)
  return {
    sql: `seal_version = {sealVersions:Array(UInt256)}[
      {versionByHour:Array(UInt16)}[intDiv(toUnixTimestamp(hour) - {firstHour:UInt32}, ${secondsPerHour}) + 1]]`,
    params: { sealVersions: versions, versionByHour: placeByHour },
  }
}

/** The same for more hours than lists can hold, of which ClickHouse looks the versions up itself. */
function bySeals({ sealed, sealVersion }: MeterHours, hours: readonly Hour[]): Sql {
  const taken = new Set(hours)
  return {
    sql: `toUnixTimestamp(hour) NOT IN {otherHours:Array(UInt32)} AND (hour, seal_version) IN (
      SELECT hour, max(seal_version) FROM usage_seals
      WHERE ${ofMeter} AND ${inRange} AND seal_version <= {passVersion:UInt256} GROUP BY hour)`,
    params: {
      passVersion: sealVersion,
      otherHours: [...sealed.keys()].filter((hour) => !taken.has(hour)),
    },
  }
}
