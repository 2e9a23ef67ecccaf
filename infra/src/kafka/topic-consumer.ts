import type { KafkaClient } from './client.ts'
import type { BatchContext } from './consumer.ts'
import { commitNext, createGroupMember, type FetchSettings, type GroupMember } from './group-member.ts'
import { type KafkaRecord, toRecord } from './record.ts'

export type ConsumerOptions = FetchSettings & {
  groupId: string
  topics: readonly string[]
  /** Resolved means: done with, commit. Thrown means: fatal; the batch comes again after a restart. */
  handleBatch(topic: string, partition: number, records: KafkaRecord[], context: BatchContext): Promise<void>
  /** Called once; nothing is handled afterwards. */
  onFatal(error: unknown): void
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
    const joined = createGroupMember(kafka, {
      ...options,
      topics,
      onAssigned: () => {
        generation += 1
      },
      onLost: () => {
        generation += 1
      },
      async onBatch(payload) {
        const { topic, partition, messages, highWatermark } = payload.batch
        const last = messages[messages.length - 1]
        if (last === undefined) return
        const current = generation
        const isStillAssigned = (): boolean => current === generation
        const records = messages.map((message) => toRecord(message, BigInt(message.offset)))
        const context = { isStillAssigned, reportProgress: () => {}, highWatermark: BigInt(highWatermark) }
        await options.handleBatch(topic, partition, records, context)
        if (!isStillAssigned()) return
        payload.resolveOffset(last.offset)
        await commitNext(kafka, payload, BigInt(last.offset) + 1n)
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
