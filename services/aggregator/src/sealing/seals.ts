import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { cellName, type Slice } from './cell.ts'
import type { CellProof, EventSet } from './cell-proof.ts'

/** Publishes the slices' hours: only now may readers take what writeHours has written under this version. */
export async function writeSeals(
  clickHouse: ClickHouse,
  slices: readonly Slice[],
  proofs: ReadonlyMap<string, CellProof>,
  cut: Cut,
  sealVersion: bigint,
): Promise<void> {
  const matched = await readMatched(clickHouse, slices, sealVersion)
  const rows = slices.flatMap((slice) =>
    slice.meters.flatMap((meter) =>
      slice.hours.map((hour) => {
        const { tenant, type } = slice
        const all = proofs.get(cellName({ tenant, type, hour }))?.raw ?? none
        const counted = matched.get(`${tenant}/${meter.key}/${meter.version}/${hour}`) ?? none
        if (counted.count > all.count) throw overcounted(`${tenant}/${meter.key}`, hour, counted, all)
        return {
          tenant,
          meter_key: meter.key,
          meter_version: meter.version,
          hour,
          seal_version: sealVersion,
          cut,
          event_count: all.count,
          event_hash: all.hash,
          matched_count: counted.count,
          matched_hash: counted.hash,
        }
      }),
    ),
  )
  await clickHouse.insert('usage_seals', rows)
}

const none: EventSet = { count: 0n, hash: 0n }

/** Read back from what was written, which shows that it is there and that it is not there twice. */
async function readMatched(
  clickHouse: ClickHouse,
  slices: readonly Slice[],
  sealVersion: bigint,
): Promise<Map<string, EventSet>> {
  const meters = slices.flatMap((slice) => slice.meters)
  const rows = await clickHouse.query<{
    tenant: string
    key: string
    version: number
    cell: number
    count: string
    hash: string
  }>(
    `SELECT tenant, meter_key AS key, meter_version AS version, toUnixTimestamp(hour) AS cell,
       toString(sum(event_count)) AS count, toString(sum(event_hash)) AS hash
     FROM (
       SELECT DISTINCT tenant, meter_key, meter_version, subject, hour, dimensions, event_count, event_hash
       FROM usage_hourly
       WHERE seal_version = {sealVersion:UInt256}
         AND (tenant, meter_key, meter_version)
           IN arrayZip({tenants:Array(String)}, {keys:Array(String)}, {versions:Array(UInt32)})
         AND toUnixTimestamp(hour) IN {hours:Array(UInt32)}
     )
     GROUP BY tenant, key, version, cell`,
    {
      sealVersion,
      tenants: meters.map(({ tenant }) => tenant),
      keys: meters.map(({ key }) => key),
      versions: meters.map(({ version }) => version),
      hours: [...new Set(slices.flatMap(({ hours }) => hours))],
    },
    { timeoutMs: 600_000 },
  )
  return new Map(
    rows.map(({ tenant, key, version, cell, count, hash }) => [
      `${tenant}/${key}/${version}/${cell}`,
      { count: BigInt(count), hash: BigInt(hash) },
    ]),
  )
}

function overcounted(meter: string, hour: number, counted: EventSet, all: EventSet): Failure {
  return new Failure(
    `The hour ${new Date(hour * 1000).toISOString()} of meter ${meter} counts ${counted.count} events, but has ${all.count}`,
    { code: 'seal_overcounted', retryable: false },
  )
}
