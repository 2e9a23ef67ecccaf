import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { cellName } from '../sealing/cell.ts'
import { isProved, proveCells } from '../sealing/cell-proof.ts'
import { writeHours } from '../sealing/hourly-rows.ts'
import type { CheckScope } from './check/scope.ts'
import {
  findDifferingHours,
  readDifferingSeals,
  type SealedHours,
  slicesOfSealed,
} from './check/sealed-hours.ts'
import type { HourRange } from './ledger-order.ts'
import { readProcessedCut } from './processed-cut.ts'

export type SealedRepairSources = {
  readonly clickHouse: ClickHouse
  readMeters(): Promise<readonly MeterVersion[]>
  tell(line: string): void
}

export type SealedRepairReport = {
  /** Hours of a meter that differ from their raw events, and those written again. */
  readonly differing: number
  readonly repaired: number
  /** Hours whose raw events are not those of the ledger: these come first. */
  readonly unproved: number
}

/** Writes hours that differ from their raw events again, as they stand under their own seal: same cut, same version. */
export async function repairSealed(
  sources: SealedRepairSources,
  order: HourRange & { tenant: string | undefined; dryRun: boolean },
): Promise<SealedRepairReport> {
  const { clickHouse, tell } = sources
  const scope: CheckScope = { ...order, cut: await readProcessedCut(clickHouse), payloads: false }
  const report = { differing: 0, repaired: 0, unproved: 0 }
  for await (const sealed of readDifferingSeals(sources, scope)) {
    const { meter, hours } = sealed
    report.differing += hours.length
    if (order.dryRun) continue
    const proved = await provedHours(clickHouse, sealed)
    report.unproved += hours.length - proved.hours.length
    if (proved.hours.length === 0) continue
    await rewrite(clickHouse, proved)
    if ((await findDifferingHours(clickHouse, proved)).length === 0) report.repaired += proved.hours.length
    tell(
      `meter ${meter.tenant}/${meter.key} version ${meter.version}: ${proved.hours.length} hours are written again`,
    )
  }
  return report
}

/** An hour is never written from raw events that the ledger does not confirm. */
async function provedHours(clickHouse: ClickHouse, sealed: SealedHours): Promise<SealedHours> {
  const cellOf = (hour: number) => ({ tenant: sealed.meter.tenant, type: sealed.meter.eventType, hour })
  const proofs = await proveCells(clickHouse, sealed.hours.map(cellOf), sealed.cut)
  const hours = sealed.hours.filter((hour) => {
    const proof = proofs.get(cellName(cellOf(hour)))
    return proof !== undefined && isProved(proof)
  })
  return { ...sealed, hours }
}

/**
 * Rows of a key that the raw events do not give would stay: they are removed first. Readers of the moment in between find
 * too little; the invoicer does not take an hour whose count is not that of its seal.
 */
async function rewrite(clickHouse: ClickHouse, sealed: SealedHours): Promise<void> {
  const { meter, hours, sealVersion, cut } = sealed
  await clickHouse.command(
    `ALTER TABLE usage_hourly DELETE
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND seal_version = {sealVersion:UInt256} AND toUnixTimestamp(hour) IN (${hours.join(', ')})
     SETTINGS mutations_sync = 2`,
    { tenant: meter.tenant, meter: meter.key, version: meter.version, sealVersion },
    { timeoutMs: 600_000 },
  )
  await writeHours(clickHouse, slicesOfSealed(sealed), cut, sealVersion)
}
