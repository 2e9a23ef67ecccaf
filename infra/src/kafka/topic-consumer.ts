import type { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import type { BatchContext } from './consumer.ts'
import { commitNext, createGroupMember, type FetchSettings, type GroupMember } from './group-member.ts'
import { type KafkaRecord, toRecord } from './record.ts'
import { createTopicPlaces } from './topic-places.ts'

export type ConsumerOptions = FetchSettings & {
  groupId: string
  topics: readonly string[]
  /** Resolved means: done with, commit. Thrown means: fatal; the batch comes again after a restart. */
  handleBatch(topic: string, partition: number, records: KafkaRecord[], context: BatchContext): Promise<void>
  /** Called once; nothing is handled afterwards. */
  onFatal(error: unknown): void
  /**
   * Where given, a partition whose log no longer holds the place where it should go on is stopped, the others are not, and
   * this is called with `log_truncated` or `log_rewound`, again after each rebalance that finds it so. Where not, it goes
   * on with the first record that the log has.
   */
  onHalt?(topic: string, partition: number, failure: Failure): void
}

export type TopicConsumer = {
  /** With no topics it waits for `resubscribe`. */
  start(): Promise<void>
  /** Stops and starts again with another list: kafkajs fixes its topics when it subscribes. Same list: nothing happens. */
  resubscribe(topics: readonly string[]): Promise<void>
  /** Waits for running handlers. */
  stop(): Promise<void>
}

const sameTopics = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((topic) => b.includes(topic))

/**
 * At-least-once consumption of whole topics: a batch is committed after it was handled, and comes again if the process
 * dies in between. The group's committed offset decides where to go on; a new group begins at the beginning.
 */
export function createConsumer(kafka: KafkaClient, options: ConsumerOptions): TopicConsumer {
  let topics = options.topics
  let member: GroupMember | undefined
  // Changes of the subscription come one after the other.
  let turn: Promise<void> = Promise.resolve()

  const join = async (): Promise<void> => {
    if (topics.length === 0) return
    let generation = 0
    const { groupId, onHalt } = options
    const places = onHalt && createTopicPlaces(kafka, { groupId, onHalt, member: () => joined })
    const joined: GroupMember = createGroupMember(kafka, {
      ...options,
      topics,
      onAssigned: (assignment) => {
        generation += 1
        places?.assign(assignment)
      },
      onLost: () => {
        generation += 1
        places?.release()
      },
      onSkipped(topic, partition, first, next) {
        if (places?.skip(topic, partition, first, next)) void joined.commit(topic, partition, next)
      },
      async onBatch(payload) {
        const { topic, partition, messages, highWatermark } = payload.batch
        const last = messages[messages.length - 1]
        if (last === undefined || (places && !(await places.accepts(payload.batch)))) return
        const current = generation
        const isStillAssigned = (): boolean => current === generation
        const records = messages.map((message) => toRecord(message, BigInt(message.offset)))
        const context = { isStillAssigned, reportProgress: () => {}, highWatermark: BigInt(highWatermark) }
        await options.handleBatch(topic, partition, records, context)
        if (!isStillAssigned()) return
        // With the control records behind the last message, or a transaction's end would look like lag for ever.
        const next = BigInt(payload.batch.lastOffset()) + 1n
        places?.advance(topic, partition, next)
        payload.resolveOffset(last.offset)
        await commitNext(kafka, payload, next)
      },
    })
    try {
      await joined.start()
    } catch (error) {
      // Subscribed to nothing: the same list may be asked for again.
      topics = []
      throw error
    }
    member = joined
  }

  const leave = async (): Promise<void> => {
    const left = member
    member = undefined
    await left?.stop()
  }

  const inTurn = (step: () => Promise<void>): Promise<void> => {
    const done = turn.then(step)
    turn = done.catch(() => {})
    return done
  }

  return {
    start: () => inTurn(join),
    resubscribe: (next) =>
      inTurn(async () => {
        if (sameTopics(next, topics)) return
        await leave()
        topics = next
        await join()
      }),
    stop: () => inTurn(leave),
  }
}
