import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Completeness } from '../usage/completeness.ts'
import type { Watermarks } from '../usage/watermarks.ts'
import { createCompletenessPublication } from './completeness-publication.ts'
import { createMeterPublication } from './meter-publication.ts'

export type FinancePublication = {
  /** Once per sealing pass, before it is written: what the finance views read beside usage itself. */
  publish(watermarks: Watermarks, meters: readonly MeterVersion[]): Promise<void>
}

export function createFinancePublication(
  clickHouse: ClickHouse,
  completeness: Completeness,
): FinancePublication {
  const publishMeters = createMeterPublication(clickHouse)
  const publishCompleteness = createCompletenessPublication(clickHouse)
  return {
    async publish(watermarks, meters) {
      await publishMeters(meters)
      const tenants = meters.map(({ tenant }) => tenant)
      await publishCompleteness(tenants, (tenant) => completeness.completeUntil(watermarks, tenant))
    },
  }
}
