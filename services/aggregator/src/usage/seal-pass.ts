import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, oneThread } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'

/** What a completed sealing pass says about one meter. */
export type PassOfMeter = {
  readonly sealVersion: string
  readonly cut: Cut
  /** False: the meter came later, so nothing is known of its hours. */
  readonly knowsMeter: boolean
  /** Hours, in seconds since 1970, that the pass left unsealed although they have events. */
  readonly dirtyHours: readonly number[]
}

/** A Cut as ClickHouse gives it in JSON. */
export type CutRow = readonly { log: number; partition: number; offset: string }[]

export const cutOf = (rows: CutRow): Cut =>
  rows.map(({ log, partition, offset }) => ({ log, partition, offset: BigInt(offset) }))

/** The version of the last pass: as long as it is the same, nothing else has been sealed. */
export async function readNewestPass(clickHouse: ClickHouse): Promise<string | undefined> {
  const rows = await clickHouse.query<{ sealVersion: string }>(
    `SELECT toString(max(seal_version)) AS sealVersion FROM usage_seal_passes ${oneThread}`,
  )
  return rows[0]?.sealVersion
}

/**
 * The newest pass that saw nothing beyond the cut. A later one may have sealed events that do not count at this cut.
 * FINAL, for a pass at the same cut may have been written again with fewer hours left.
 */
export async function findPass(
  clickHouse: ClickHouse,
  meter: MeterVersion,
  cut: Cut,
): Promise<PassOfMeter | undefined> {
  const { params } = atCut(cut)
  const rows = await clickHouse.query<{
    sealVersion: string
    cut: CutRow
    knowsMeter: number
    dirtyHours: number[]
  }>(
    `SELECT toString(seal_version) AS sealVersion, cut,
       toUInt8(has(meters, ({tenant:String}, {meter:String}, {version:UInt32}))) AS knowsMeter,
       arrayMap(cell -> toUnixTimestamp(cell.3),
         arrayFilter(cell -> cell.1 = {tenant:String} AND cell.2 = {type:String}, dirty)) AS dirtyHours
     FROM usage_seal_passes FINAL
     WHERE seal_version = (
       SELECT max(seal_version) FROM usage_seal_passes
       WHERE arrayAll(entry -> entry.3 <= transform(toUInt32(entry.1) * 65536 + entry.2,
         {cutKeys:Array(UInt32)}, {cutEnds:Array(UInt64)}, toUInt64(0)), cut))
     ${oneThread}`,
    { ...params, tenant: meter.tenant, meter: meter.key, version: meter.version, type: meter.eventType },
  )
  const row = rows[0]
  return (
    row && {
      sealVersion: row.sealVersion,
      cut: cutOf(row.cut),
      knowsMeter: row.knowsMeter === 1,
      dirtyHours: row.dirtyHours,
    }
  )
}
