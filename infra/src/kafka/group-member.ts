import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { KafkaClient } from './client.ts'
import { asKafkaFailure, kafkaErrorType } from './kafka-failure.ts'

export type FetchSettings = {
  /** A fetch waits for this many bytes, at most maxWaitTimeMs. Large and short: batches follow the load. Default 1. */
  minBytes?: number
  /** Most bytes of one fetch over all partitions. Default 32 MiB. */
  maxBytes?: number
  /** Most bytes of one partition in a fetch; the size of the largest batch. Default 4 MiB. */
  maxBytesPerPartition?: number
  /** Also how soon a partition that was just opened is fetched. Default 200 ms. */
  maxWaitTimeMs?: number
  /**
   * Silent for so long, and the broker gives the partitions to another member; also how long a member waits that comes
   * back after a crash or a broker's outage, because kafkajs returns under a new name. Default 10,000 ms; a broker allows
   * no less than 6,000.
   */
  sessionTimeoutMs?: number
  /** How long the group waits for a member that is still handling a batch. Default 60,000 ms. */
  rebalanceTimeoutMs?: number
  /** Default 2,000 ms. */
  heartbeatIntervalMs?: number
  /** Batches of different partitions that are handled at a time. Default 8. */
  partitionsConsumedConcurrently?: number
}

export type GroupMemberOptions = FetchSettings & {
  groupId: string
  topics: readonly string[]
  /** Called in the middle of a join, before anything is fetched under the new assignment; it must not wait. */
  onAssigned(assignment: ReadonlyMap<string, readonly number[]>): void
  /** The broker no longer counts this member in; another one may already have its partitions. */
  onLost(): void
  onBatch(payload: EachBatchPayload): Promise<void>
  /** A batch of control records and aborted ones, which never reaches `onBatch`: from `first` to below `next`. */
  onSkipped?(topic: string, partition: number, first: bigint, next: bigint): void
  /** Called once, with the first thing that cannot be mended here; nothing is handled afterwards. */
  onFatal(error: unknown): void
}

export type GroupMember = {
  start(): Promise<void>
  /** Waits for running handlers, then leaves the group, so that others take over at once. */
  stop(): Promise<void>
  seek(topic: string, partition: number, offset: bigint): void
  pause(topic: string, partitions: readonly number[]): void
  resume(topic: string, partitions: readonly number[]): void
  /** Outside of a batch; one that fails is only told. */
  commit(topic: string, partition: number, nextOffset: bigint): Promise<void>
  /** Ends the consumption for good: the first reason is kept and told. */
  fail(error: unknown): void
}

const lostTypes = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])

/** One kafkajs consumer in a group, kept alive during long batches, its first failure latched and told once. */
export function createGroupMember(kafka: KafkaClient, options: GroupMemberOptions): GroupMember {
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? 2_000
  let consumer: Consumer | undefined
  let stopped = false
  let failed = false
  /** Partitions whose batch came by eachBatch: kafkajs tells the end of the others in the same way. */
  const seen = new Set<string>()

  const steer = (action: (current: Consumer) => void): void => {
    try {
      if (consumer !== undefined) action(consumer)
    } catch {
      // kafkajs has no group at the moment (it restarts after a crash): nothing is fetched, and the next join sets all anew.
    }
  }

  const fail = (error: unknown): void => {
    if (failed) return
    failed = true
    if (stopped) {
      kafka.log.warn(
        { err: error, groupId: options.groupId },
        'failure while stopping; what was not committed is replayed',
      )
      return
    }
    // Without this the same batch would be fetched again and again until the process has gone.
    steer((current) => current.pause(options.topics.map((topic) => ({ topic }))))
    options.onFatal(error)
  }

  const whileBeating = async (payload: EachBatchPayload, work: () => Promise<void>): Promise<void> => {
    const beat = (): void => {
      // A heartbeat that fails is repeated by kafkajs after the batch, where it starts the rejoining.
      payload.heartbeat().catch((error: unknown) => {
        if (lostTypes.has(kafkaErrorType(error))) options.onLost()
      })
    }
    const timer = setInterval(beat, heartbeatIntervalMs)
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  }

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    seen.add(`${payload.batch.topic}/${payload.batch.partition}`)
    if (failed || stopped || !payload.isRunning() || payload.isStale()) return
    try {
      await whileBeating(payload, () => options.onBatch(payload))
    } catch (error) {
      // Thrown further, kafkajs would retry five times and then restart without anybody hearing of it.
      fail(error)
    }
  }

  const create = (): Consumer => {
    const created = kafka.open().consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      minBytes: options.minBytes ?? 1,
      maxBytes: options.maxBytes ?? 32 * 1_048_576,
      maxBytesPerPartition: options.maxBytesPerPartition ?? 4 * 1_048_576,
      maxWaitTimeInMs: options.maxWaitTimeMs ?? 200,
      sessionTimeout: options.sessionTimeoutMs ?? 10_000,
      rebalanceTimeout: options.rebalanceTimeoutMs ?? 60_000,
      heartbeatInterval: heartbeatIntervalMs,
    })
    created.on(created.events.GROUP_JOIN, ({ payload }) => {
      // kafkajs may rejoin by a restart of its own that was already under way when it was stopped.
      if (stopped) void created.disconnect().catch(() => {})
      else options.onAssigned(new Map(Object.entries(payload.memberAssignment)))
    })
    created.on(created.events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, firstOffset, lastOffset } = payload
      if (seen.delete(`${topic}/${partition}`) || stopped || failed) return
      // Null where compaction left nothing of the batch, whatever kafkajs' types say.
      if (typeof firstOffset !== 'string') return
      options.onSkipped?.(topic, partition, BigInt(firstOffset), BigInt(lastOffset) + 1n)
    })
    // Also within a crash, before kafkajs restarts by itself.
    created.on(created.events.STOP, () => options.onLost())
    created.on(created.events.CRASH, ({ payload }) => {
      const reason = kafkaErrorType(payload.error)
      if (!payload.restart) fail(asKafkaFailure(payload.error, `consuming in group ${options.groupId}`))
      else if (!stopped)
        kafka.log.warn({ groupId: options.groupId, reason }, 'consumer lost Kafka and joins again')
      // The restart is set up right after this call; stopping once more calls it off.
      if (stopped) setImmediate(() => void created.stop().catch(() => {}))
    })
    return created
  }

  return {
    async start() {
      consumer = create()
      try {
        await consumer.connect()
        await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
      } catch (error) {
        await consumer.disconnect().catch(() => {})
        throw asKafkaFailure(error, `subscribing group ${options.groupId} to ${options.topics.join(', ')}`)
      }
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: options.partitionsConsumedConcurrently ?? 8,
        eachBatch,
      })
    },
    async stop() {
      stopped = true
      await consumer?.disconnect().catch((error: unknown) => {
        kafka.log.warn({ err: error, groupId: options.groupId }, 'consumer did not leave its group cleanly')
      })
    },
    seek: (topic, partition, offset) =>
      steer((current) => current.seek({ topic, partition, offset: offset.toString() })),
    pause: (topic, partitions) => steer((current) => current.pause([{ topic, partitions: [...partitions] }])),
    resume: (topic, partitions) => {
      if (!failed) steer((current) => current.resume([{ topic, partitions: [...partitions] }]))
    },
    async commit(topic, partition, nextOffset) {
      const offset = nextOffset.toString()
      try {
        await consumer?.commitOffsets([{ topic, partition, offset }])
      } catch (error) {
        kafka.log.debug(
          { topic, partition, offset, reason: kafkaErrorType(error) },
          'offset was not committed',
        )
      }
    },
    fail,
  }
}

/**
 * Commits where to go on. A commit that fails is only told: the offset is a hint (the ledger decides, or at-least-once
 * handling does), and where the group rebalances kafkajs finds out with its next heartbeat.
 */
export async function commitNext(
  kafka: KafkaClient,
  payload: EachBatchPayload,
  nextOffset: bigint,
): Promise<void> {
  const { topic, partition } = payload.batch
  const offset = nextOffset.toString()
  try {
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] })
  } catch (error) {
    kafka.log.debug({ topic, partition, offset, reason: kafkaErrorType(error) }, 'offset was not committed')
  }
}
