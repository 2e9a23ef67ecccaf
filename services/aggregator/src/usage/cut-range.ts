import type { Cut } from '@tidemark/schemas/cut.ts'

/** A stretch of one partition: [from, to). */
export type OffsetRange = {
  readonly log: number
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
}

/** What lies below the later cut and not below the earlier one. */
export function rangesBetween(earlier: Cut, later: Cut): OffsetRange[] {
  return later.flatMap(({ log, partition, offset }) => {
    const from = earlier.find((entry) => entry.log === log && entry.partition === partition)?.offset ?? 0n
    return offset > from ? [{ log, partition, from, to: offset }] : []
  })
}

/** A condition that the ledger's key answers, so that it costs as much as there is in the ranges; all numbers are ours. */
export function inRanges(ranges: readonly OffsetRange[]): string {
  if (ranges.length === 0) return 'false'
  const each = ranges.map(
    ({ log, partition, from, to }) =>
      `(log = ${log} AND partition = ${partition} AND offset >= ${from} AND offset < ${to})`,
  )
  return `(${each.join(' OR ')})`
}
