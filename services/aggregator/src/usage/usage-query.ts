import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'

/** What is asked of one meter, as of one cut. */
export type UsageQuery = {
  readonly meter: MeterVersion
  readonly cut: Cut
  readonly from: Micros1970
  readonly to: Micros1970
  /** Where each window begins; the first is `from`, the last ends at `to`. */
  readonly windowStarts: readonly Micros1970[]
  /** Of the days that a prorated sum counts. */
  readonly timeZone: string
  /** Only these; all of them when left out. */
  readonly subjects?: readonly string[] | undefined
  /** Only these values of a dimension, by its name. */
  readonly filters?: ReadonlyMap<string, readonly string[]>
  readonly groupBySubject: boolean
  /** Names of dimensions of the meter. */
  readonly groupByDimensions: readonly string[]
  /** By window, subject and dimensions, unless the largest values come first. */
  readonly largestFirst?: boolean
  readonly offset: number
  readonly limit: number
}

export type UsageRow = {
  readonly windowStart: Micros1970
  /** Empty when not grouped by subject. */
  readonly subject: string
  /** In the order of groupByDimensions. */
  readonly dimensions: readonly string[]
  /** Exact decimal text; null where the aggregation says nothing of no values, such as the least of none. */
  readonly value: string | null
  /** Events that the meter counts, those with an unreadable value among them. */
  readonly eventCount: bigint
  readonly unreadable: bigint
}
