export type LogPartition = { readonly log: number; readonly partition: number }

/** Where a record lies. An offset means something only together with its log and partition. */
export type Place = LogPartition & { readonly offset: bigint }

/**
 * What may decide about `place`: everything of an earlier log (it was closed before this one opened), and in its own
 * partition what lies strictly below. So a record that is decided again never finds itself, nor what came after it.
 */
export function isBefore(earlier: Place, place: Place): boolean {
  if (earlier.log !== place.log) return earlier.log < place.log
  return earlier.partition === place.partition && earlier.offset < place.offset
}

export const comparePlaces = (a: Place, b: Place): number =>
  a.log - b.log || a.partition - b.partition || Number(a.offset - b.offset)
