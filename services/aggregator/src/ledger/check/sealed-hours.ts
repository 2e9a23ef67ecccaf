import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { type Slice, slicesOf } from '../../sealing/cell.ts'
import { hourlyColumns, hourStatements } from '../../sealing/hourly-rows.ts'
import { rollupVersion } from '../../sealing/pass.ts'
import { readLastPass } from '../../sealing/pass-store.ts'
import type { Hour } from '../../usage/hour-plan.ts'
import { type CutRow, cutOf } from '../../usage/seal-pass.ts'
import { type Difference, difference } from './difference.ts'
import {
  type CheckScope,
  type CheckSources,
  gently,
  hourConditions,
  scopeParams,
  sliceTimeout,
} from './scope.ts'

export type SealedSources = { readMeters(): Promise<readonly MeterVersion[]> }

type SealedTotals = { sealedHours: bigint; sealedOtherwise: bigint }

/** Days of one meter and seal that one statement recomputes. */
const daysPerStatement = 20

/** Hours of one meter that were sealed at one cut. */
export type SealedHours = {
  readonly meter: MeterVersion
  readonly sealVersion: bigint
  readonly cut: Cut
  readonly hours: readonly Hour[]
}

/** Recomputes each published hour from raw events at the cut of its own seal, and holds the rows against it. */
export async function* checkSealedHours(
  sources: CheckSources & SealedSources,
  scope: CheckScope,
  totals: SealedTotals,
): AsyncGenerator<Difference[]> {
  for await (const sealed of readSeals(sources, scope)) {
    const { meter, hours } = sealed
    if (!isComparable(sealed)) {
      totals.sealedOtherwise += BigInt(hours.length)
      continue
    }
    const differing = await findStandingDifferences(sources, scope, sealed)
    totals.sealedHours += BigInt(hours.length)
    const name = `${meter.key} version ${meter.version}`
    yield differing.map(({ hour, fault }) =>
      difference.sealedHour({ tenant: meter.tenant, type: meter.eventType, hour }, name, fault),
    )
  }
}

/** The same for whoever mends them: only hours that differ. */
export async function* readDifferingSeals(
  sources: CheckSources & SealedSources,
  scope: CheckScope,
): AsyncGenerator<SealedHours> {
  for await (const sealed of readSeals(sources, scope)) {
    if (!isComparable(sealed)) continue
    const differing = await findStandingDifferences(sources, scope, sealed)
    if (differing.length > 0) yield { ...sealed, hours: differing.map(({ hour }) => hour) }
  }
}

/**
 * Differences of hours that are still sealed so. A check takes its time: an hour may have been sealed again since its seal
 * was read, or removed by retention, and what the earlier seal named be gone.
 */
async function findStandingDifferences(
  sources: CheckSources,
  scope: CheckScope,
  sealed: SealedHours,
): Promise<DifferingHour[]> {
  const differing = await findDifferingHours(sources.clickHouse, sealed)
  const pass = differing.length === 0 ? undefined : await readLastPass(sources.clickHouse)
  if (pass === undefined) return []
  const now = await readSealedHours(sources, scope, sealed.meter, pass.sealVersion)
  const standing = now.filter(({ sealVersion }) => sealVersion === sealed.sealVersion)
  const hours = new Set(standing.flatMap((each) => each.hours))
  return differing.filter(({ hour }) => hours.has(hour))
}

/** Other rollup code would have made other rows of the same events. */
const isComparable = ({ sealVersion }: SealedHours): boolean => Number(sealVersion >> 192n) === rollupVersion

/** Published hours, in portions of one meter and one seal that one statement can recompute. */
async function* readSeals(
  sources: CheckSources & SealedSources,
  scope: CheckScope,
): AsyncGenerator<SealedHours> {
  const pass = await readLastPass(sources.clickHouse)
  if (pass === undefined) return
  for (const meter of await sources.readMeters()) {
    if (scope.tenant !== undefined && scope.tenant !== meter.tenant) continue
    for (const sealed of await readSealedHours(sources, scope, meter, pass.sealVersion))
      yield* inPortions(sealed)
  }
}

/** The seals that readers go by, those of one cut together. */
async function readSealedHours(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  meter: MeterVersion,
  passVersion: bigint,
): Promise<SealedHours[]> {
  const rows = await clickHouse.query<{ sealedHour: Hour; version: string; sealedCut: CutRow }>(
    `SELECT toUnixTimestamp(hour) AS sealedHour, toString(max(seal_version)) AS version,
       argMax(cut, seal_version) AS sealedCut
     FROM usage_seals
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND seal_version <= {passVersion:UInt256}
       ${hourConditions(scope, 'hour')
         .map((condition) => `AND ${condition}`)
         .join(' ')}
     GROUP BY hour ORDER BY sealedHour`,
    {
      tenant: meter.tenant,
      meter: meter.key,
      version: meter.version,
      passVersion,
      ...scopeParams(scope),
    },
    sliceTimeout,
  )
  const byVersion = Map.groupBy(rows, ({ version }) => version)
  return [...byVersion].map(([version, group]) => ({
    meter,
    sealVersion: BigInt(version),
    cut: cutOf(group[0]?.sealedCut ?? []),
    hours: group.map(({ sealedHour }) => sealedHour),
  }))
}

/** Slices as sealing writes them, of one meter alone. */
export const slicesOfSealed = ({ meter, hours }: SealedHours): Slice[] =>
  slicesOf(
    hours.map((hour) => ({ tenant: meter.tenant, type: meter.eventType, hour })),
    () => [meter],
  )

function inPortions(sealed: SealedHours): SealedHours[] {
  const slices = slicesOfSealed(sealed)
  const portions: SealedHours[] = []
  for (let at = 0; at < slices.length; at += daysPerStatement)
    portions.push({ ...sealed, hours: slices.slice(at, at + daysPerStatement).flatMap(({ hours }) => hours) })
  return portions
}

type DifferingHour = { readonly hour: Hour; readonly fault: string }

export async function findDifferingHours(
  clickHouse: ClickHouse,
  sealed: SealedHours,
): Promise<DifferingHour[]> {
  const { meter, sealVersion, cut, hours } = sealed
  const statements = hourStatements(slicesOfSealed(sealed), cut, sealVersion)
  const columns = hourlyColumns.join(', ')
  const rows = await clickHouse.query<{ at: Hour; kept: number; computed: number }>(
    `SELECT toUnixTimestamp(hour) AS at, toUInt32(countIf(only = 1)) AS kept, toUInt32(countIf(only = 2)) AS computed
     FROM (
       SELECT hour, any(side) AS only FROM (
         SELECT ${columns}, toUInt8(1) AS side FROM usage_hourly FINAL
         WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
           AND toUnixTimestamp(hour) IN {hours:Array(UInt32)} AND seal_version = {sealVersion:UInt256}
         ${statements.map(({ sql }) => `UNION ALL SELECT *, toUInt8(2) FROM (${sql})`).join('\n')}
       ) GROUP BY ${columns} HAVING count() = 1
     ) GROUP BY hour ORDER BY at ${gently}`,
    Object.assign(
      { tenant: meter.tenant, meter: meter.key, version: meter.version, hours, sealVersion },
      ...statements.map(({ params }) => params),
    ),
    sliceTimeout,
  )
  return rows.map(({ at, kept, computed }) => ({ hour: at, fault: faultOf(kept, computed) }))
}

function faultOf(kept: number, computed: number): string {
  if (computed === 0) return `has ${kept} rows that its raw events do not give`
  if (kept === 0) return `lacks ${computed} rows that its raw events give`
  return `says something else than its raw events in ${Math.max(kept, computed)} rows`
}
