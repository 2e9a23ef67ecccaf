import { setTimeout as delay } from 'node:timers/promises'
import type { Batch } from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import type { GroupMember } from './group-member.ts'
import { fetchCommittedOffsets } from './group-offsets.ts'
import { placeRewound, placeTruncated } from './offset-check.ts'
import { fetchOffsetRange, fetchOffsetRanges, type OffsetRange } from './topics.ts'

export type TopicPlacesOptions = {
  groupId: string
  member(): GroupMember
  /** The partition does not go on until its group's offset lies in its log again. */
  onHalt(topic: string, partition: number, failure: Failure): void
}

/** Where each partition of a group goes on, held against its log. */
export type TopicPlaces = {
  assign(assignment: ReadonlyMap<string, readonly number[]>): void
  release(): void
  /** Whether the batch goes on where the last one ended; if not it is dropped, and comes again or never. */
  accepts(batch: Batch): Promise<boolean>
  advance(topic: string, partition: number, next: bigint): void
  /** Only control records and aborted ones lay between: true where the place moved on. */
  skip(topic: string, partition: number, first: bigint, next: bigint): boolean
}

type Place = { topic: string; partition: number; expected: bigint; misfits: number; accepting: boolean }

/**
 * Stops a partition, and only that one, whose log no longer holds the place where it is to go on: kafkajs would jump to the
 * beginning of the log without a word. Gaps inside the log are legal here: transactions leave control records, compaction
 * removes what is superseded.
 */
export function createTopicPlaces(kafka: KafkaClient, options: TopicPlacesOptions): TopicPlaces {
  const places = new Map<string, Place>()
  let generation = 0

  const halt = (place: Place, failure: Failure): void => {
    place.accepting = false
    options.member().pause(place.topic, [place.partition])
    options.onHalt(place.topic, place.partition, failure)
  }

  const faultOf = ({ topic, partition, expected }: Place, log: OffsetRange): Failure | undefined => {
    const at = { topic, partition, groupId: options.groupId }
    if (log.earliest > expected) return placeTruncated(at, expected, log.earliest)
    return log.end < expected ? placeRewound(at, expected, log.end) : undefined
  }

  const openTopic = async (
    topic: string,
    partitions: readonly number[],
    isCurrent: () => boolean,
  ): Promise<void> => {
    const committed = (await fetchCommittedOffsets(kafka, options.groupId, [topic])).get(topic)
    const ranges = await fetchOffsetRanges(kafka, topic)
    if (!isCurrent()) return
    for (const partition of partitions) {
      const log = ranges.get(partition)
      if (log === undefined) continue
      const expected = committed?.get(partition) ?? 0n
      const place = { topic, partition, expected, misfits: 0, accepting: true }
      places.set(`${topic}/${partition}`, place)
      const fault = faultOf(place, log)
      if (fault) halt(place, fault)
      else {
        options.member().seek(topic, partition, expected)
        options.member().resume(topic, [partition])
      }
    }
  }

  /** A topic that does not answer (gone, or a broker that just came back) waits without holding up the others. */
  const open = async (
    assignment: ReadonlyMap<string, readonly number[]>,
    isCurrent: () => boolean,
  ): Promise<void> => {
    let waiting = [...assignment]
    while (waiting.length > 0 && isCurrent()) {
      const unanswered: typeof waiting = []
      for (const [topic, partitions] of waiting)
        await openTopic(topic, partitions, isCurrent).catch((error: unknown) => {
          if (!(error instanceof Failure && error.retryable)) throw error
          unanswered.push([topic, partitions])
        })
      waiting = unanswered
      if (waiting.length > 0) await delay(200)
    }
  }

  const rangeOf = async ({ topic, partition }: Place, joined: number): Promise<OffsetRange | undefined> => {
    while (joined === generation) {
      try {
        return await fetchOffsetRange(kafka, topic, partition)
      } catch (error) {
        if (!(error instanceof Failure && error.retryable)) throw error
        await delay(200)
      }
    }
    return undefined
  }

  const release = (): void => {
    generation += 1
    places.clear()
  }

  return {
    assign(assignment) {
      release()
      const joined = generation
      for (const [topic, partitions] of assignment) options.member().pause(topic, partitions)
      open(assignment, () => joined === generation).catch((error) => options.member().fail(error))
    },
    release,
    async accepts(batch) {
      const place = places.get(`${batch.topic}/${batch.partition}`)
      if (!place?.accepting) return false
      const first = BigInt(batch.firstOffset() ?? batch.lastOffset())
      if (first === place.expected) {
        place.misfits = 0
        return true
      }
      const joined = generation
      const log = await rangeOf(place, joined)
      if (log === undefined || joined !== generation) return false
      place.misfits += 1
      const fault =
        faultOf(place, log) ??
        (first < place.expected && place.misfits > 3
          ? placeRewound({ ...place, groupId: options.groupId }, place.expected, log.end)
          : undefined)
      if (fault) {
        halt(place, fault)
        // kafkajs has reset the group's offset meanwhile; after a restart the same must be found.
        await options.member().commit(place.topic, place.partition, place.expected)
        return false
      }
      // Asked for once more from the right place, it begins further on again: the records between do not exist.
      if (first > place.expected && place.misfits > 1) return true
      options.member().seek(place.topic, place.partition, place.expected)
      return false
    },
    advance(topic, partition, next) {
      const place = places.get(`${topic}/${partition}`)
      if (place) Object.assign(place, { expected: next, misfits: 0 })
    },
    skip(topic, partition, first, next) {
      const place = places.get(`${topic}/${partition}`)
      if (!place?.accepting || first !== place.expected) return false
      place.expected = next
      return true
    },
  }
}
