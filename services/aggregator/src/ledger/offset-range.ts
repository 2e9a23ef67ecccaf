import type { OffsetRange } from './ledger-order.ts'

/** A condition on log, partition and offset; both ends included. */
export const ofOffsets =
  'log = {log:UInt16} AND partition = {partition:UInt16} AND offset >= {first:UInt64} AND offset <= {last:UInt64}'

export const offsetParams = ({ log, partition, first, last }: OffsetRange) => ({
  log,
  partition,
  first: first.toString(),
  last: last.toString(),
})
