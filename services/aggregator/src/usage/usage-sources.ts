import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatCut } from '@tidemark/schemas/cut.ts'
import type { UsageLog } from '@tidemark/schemas/topics.ts'
import type { Completeness } from './completeness.ts'
import { hourAt } from './hour-plan.ts'
import { type MeterHours, type ReadHours, readHours } from './meter-hours.ts'
import { createSharedReading } from './shared-reading.ts'
import { readWatermarks, type Watermarks } from './watermarks.ts'

/** What usage is answered from. */
export type UsageSources = {
  readonly clickHouse: ClickHouse
  readonly completeness: Completeness
  readWatermarks(): Promise<Watermarks>
  readonly readHours: ReadHours
}

export type Sharing = {
  /** An answer may lag by so much behind the newest watermark. */
  watermarksMs: number
  /** For so long a sealing pass goes unnoticed: answers are the same, and read more raw events. */
  hoursMs: number
}

export const usualSharing: Sharing = { watermarksMs: 100, hoursMs: 1_000 }

/** Meters, cuts and ranges that are asked for at a time. */
const mostKept = 500

/** Questions that come close together share what they all have to read first. */
export function createUsageSources(
  clickHouse: ClickHouse,
  log: UsageLog,
  completeness: Completeness,
  sharing: Sharing,
): UsageSources {
  const shareWatermarks = createSharedReading<Watermarks>(sharing.watermarksMs, 1)
  const shareHours = createSharedReading<MeterHours | undefined>(sharing.hoursMs, mostKept)
  return {
    clickHouse,
    completeness,
    readWatermarks: () => shareWatermarks('', () => readWatermarks(clickHouse, log)),
    readHours(_, asked) {
      const { meter, cut, from, to } = asked
      const key = [meter.tenant, meter.key, meter.version, formatCut(cut), hourAt(from), hourAt(to - 1)]
      return shareHours(JSON.stringify(key), () => readHours(clickHouse, asked))
    },
  }
}
