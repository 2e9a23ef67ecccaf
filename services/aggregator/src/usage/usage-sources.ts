import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatCut, reaches } from '@tidemark/schemas/cut.ts'
import type { UsageLog } from '@tidemark/schemas/topics.ts'
import type { Completeness } from './completeness.ts'
import { type Hour, hourAt } from './hour-plan.ts'
import {
  hoursAt,
  type PassedHours,
  type ReadHours,
  readChangedHours,
  readHours,
  readPassedHours,
} from './meter-hours.ts'
import { readNewestPass } from './seal-pass.ts'
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

export const usualSharing: Sharing = { watermarksMs: 100, hoursMs: 2_000 }

/** Meters and ranges that are asked for at a time, and cuts of types. */
const mostKept = 500

/** Questions that come close together share what they all have to read first. */
export function createUsageSources(
  clickHouse: ClickHouse,
  log: UsageLog,
  completeness: Completeness,
  sharing: Sharing,
): UsageSources {
  const shareWatermarks = createSharedReading<Watermarks>(sharing.watermarksMs, 1)
  const sharePassed = createSharedReading<PassedHours | undefined>(sharing.hoursMs, mostKept)
  const shareNewest = createSharedReading<string | undefined>(sharing.hoursMs / 2, 1)
  const readNewest = () => shareNewest('', () => readNewestPass(clickHouse))
  const shareChanged = createSharedReading<Hour[]>(sharing.hoursMs, mostKept)
  return {
    clickHouse,
    completeness,
    readWatermarks: () => shareWatermarks('', () => readWatermarks(clickHouse, log)),
    async readHours(_, asked) {
      const { meter, cut, from, to } = asked
      const { tenant, key, version, eventType } = meter
      const passed = await sharePassed(
        keyOf(tenant, key, version, hourAt(from), hourAt(to - 1)),
        async (before) => {
          const isNewest = before !== undefined && before.sealVersion === (await readNewest())
          return isNewest ? before : readPassedHours(clickHouse, asked)
        },
      )
      if (passed === undefined) return undefined
      // A later page of a list reads at the cut of the first, which may lie below this pass.
      if (!reaches(cut, passed.cut)) return readHours(clickHouse, asked)
      const changed = await shareChanged(keyOf(tenant, eventType, passed.sealVersion, formatCut(cut)), () =>
        readChangedHours(clickHouse, asked, passed),
      )
      return hoursAt(passed, changed)
    },
  }
}

const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts)
