import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Hour } from '../usage/hour-plan.ts'
import { type CutRow, cutOf } from '../usage/seal-pass.ts'
import type { Cell } from './cell.ts'

export type MeterId = Pick<MeterVersion, 'tenant' | 'key' | 'version'>

/** Where sealing stands: what the next pass starts from, and what readers go by. */
export type SealingPass = {
  readonly sealVersion: bigint
  readonly cut: Cut
  /** Meters whose cells, every one with events below the cut, are sealed or in `dirty`. */
  readonly meters: readonly MeterId[]
  readonly dirty: readonly Cell[]
}

export async function readLastPass(clickHouse: ClickHouse): Promise<SealingPass | undefined> {
  const rows = await clickHouse.query<{
    sealVersion: string
    cut: CutRow
    meters: MeterId[]
    tenants: string[]
    types: string[]
    hours: Hour[]
  }>(
    `SELECT toString(seal_version) AS sealVersion, cut, meters, dirty.1 AS tenants, dirty.2 AS types,
       arrayMap(hour -> toUnixTimestamp(hour), dirty.3) AS hours
     FROM usage_seal_passes FINAL
     WHERE seal_version = (SELECT max(seal_version) FROM usage_seal_passes)`,
  )
  const row = rows[0]
  return (
    row && {
      sealVersion: BigInt(row.sealVersion),
      cut: cutOf(row.cut),
      meters: row.meters,
      dirty: row.hours.map((hour, index) => ({
        tenant: row.tenants[index] ?? '',
        type: row.types[index] ?? '',
        hour,
      })),
    }
  )
}

/**
 * Written last: from here on readers rely on the pass. Two passes at one cut may leave different cells dirty, for an hour
 * can end while no event comes; either row is true, since each names all that its writer had not sealed.
 */
export async function writePass(clickHouse: ClickHouse, pass: SealingPass): Promise<void> {
  await clickHouse.insert('usage_seal_passes', [
    {
      seal_version: pass.sealVersion,
      cut: pass.cut,
      meters: pass.meters.map(({ tenant, key, version }) => ({ tenant, key, version })),
      dirty: pass.dirty.map(({ tenant, type, hour }) => ({ tenant, type, hour })),
    },
  ])
}
