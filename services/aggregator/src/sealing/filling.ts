import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatInstant, microsPerHour } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { findPass } from '../usage/seal-pass.ts'
import { processedUntil, type Watermarks } from '../usage/watermarks.ts'

/** How far a meter's hours are sealed. Queries are exact all the while; what is not sealed they read from raw events. */
export type Filling = {
  /** As of the last pass, every hour before this instant is sealed; null: the next one begins with the meter. */
  filledUntil: string | null
  /** Hours that are over and wait: all that exist for a new meter, then those with late events. */
  hoursLeft: number | null
}

export async function readFilling(
  clickHouse: ClickHouse,
  meter: MeterVersion,
  watermarks: Watermarks,
): Promise<Filling> {
  const pass = await findPass(clickHouse, meter, watermarks.cut)
  if (!pass?.knowsMeter) return { filledUntil: null, hoursLeft: null }
  const until = processedUntil(watermarks)
  const waiting = pass.dirtyHours.map((hour) => hour * 1_000_000)
  return {
    filledUntil: formatInstant(Math.min(until, ...waiting)),
    hoursLeft: waiting.filter((hour) => hour + microsPerHour <= until).length,
  }
}
