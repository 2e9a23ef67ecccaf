import { Failure } from '../process/failure.ts'

type Place = { topic: string; partition: number }

export function offsetGap(place: Place, expected: bigint, found: bigint): Failure {
  const message =
    `${place.topic}/${place.partition}: expected offset ${expected} but found ${found}: ${found - expected} records are ` +
    'missing. Nothing after them is handled. Find out why (retention? a lost disk? a transactional producer?); if they ' +
    'are truly gone, record the range in usage_lost and start again'
  return new Failure(message, { code: 'offset_gap', retryable: false })
}

export function logRewound(place: Place, expected: bigint, end: bigint): Failure {
  const message =
    `${place.topic}/${place.partition}: expected offset ${expected} but the log ends at ${end}: this is another log than ` +
    'the one already handled (topic made anew, cluster rebuilt or data lost). Cut over to the next log number'
  return new Failure(message, { code: 'log_rewound', retryable: false })
}

/** Where a partition is to go on must lie in the log: from its first offset to its end, both included. */
export function assertWithinLog(
  place: Place,
  expected: bigint,
  log: { earliest: bigint; end: bigint },
): void {
  if (log.end < expected) throw logRewound(place, expected, log.end)
  if (log.earliest > expected) throw offsetGap(place, expected, log.earliest)
}

/** Offsets of a batch must follow one another; the broker keeps them ascending, so the count tells. */
export function assertContiguous(place: Place, offsets: readonly { offset: string }[]): void {
  const first = offsets[0]
  const last = offsets[offsets.length - 1]
  if (first === undefined || last === undefined) return
  const firstOffset = BigInt(first.offset)
  if (BigInt(last.offset) - firstOffset === BigInt(offsets.length - 1)) return
  let expected = firstOffset
  for (const { offset } of offsets) {
    if (BigInt(offset) !== expected) throw offsetGap(place, expected, BigInt(offset))
    expected += 1n
  }
}

type GroupPlace = Place & { groupId: string }

const howToGoOn = ({ topic, partition, groupId }: GroupPlace): string =>
  'Nothing more of this partition is handled; the others go on. When it is known why, and what is lost is sent again, end ' +
  `every member of group ${groupId}, set its offset (kafka-consumer-groups.sh --group ${groupId} --topic ` +
  `${topic}:${partition} --reset-offsets --to-earliest --execute) and start them again`

export function placeTruncated(place: GroupPlace, expected: bigint, earliest: bigint): Failure {
  const message =
    `${place.topic}/${place.partition}: offset ${expected} comes next but the log begins at ${earliest}: ` +
    `${earliest - expected} records were removed before they were handled (retention?). ${howToGoOn(place)}`
  return new Failure(message, { code: 'log_truncated', retryable: false })
}

export function placeRewound(place: GroupPlace, expected: bigint, end: bigint): Failure {
  const message =
    `${place.topic}/${place.partition}: offset ${expected} comes next but the log ends at ${end}: it is another log than ` +
    `the one handled so far (topic made anew, or data lost). ${howToGoOn(place)}`
  return new Failure(message, { code: 'log_rewound', retryable: false })
}
