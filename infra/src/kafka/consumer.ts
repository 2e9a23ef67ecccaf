import { setTimeout as delay } from 'node:timers/promises'
import type { EachBatchPayload } from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { commitNext, createGroupMember, type FetchSettings, type GroupMember } from './group-member.ts'
import { assertContiguous, assertWithinLog, logRewound, offsetGap } from './offset-check.ts'
import { type KafkaRecord, toRecord } from './record.ts'
import { fetchOffsetRange, type OffsetRange } from './topics.ts'
import { startWatchdog } from './watchdog.ts'

export type BatchContext = {
  /** False once the partition may belong to another member. Going on is harmless, only wasted. */
  isStillAssigned(): boolean
  /** For a handler that knowingly waits (an unknown schema, say): the watchdog counts it as progress. */
  reportProgress(): void
  /** End of the partition when the batch was fetched; minus the batch's last offset and one, that is the lag. */
  highWatermark: bigint
}

export type PartitionConsumerOptions = FetchSettings & {
  topic: string
  groupId: string
  /** Called on assignment, before the first batch: where does the ledger say to go on? */
  openPartition(partition: number): Promise<{ nextOffset: bigint }>
  /** Records without gaps, the first at the expected offset. Resolved means: durable, go on. Thrown means: fatal. */
  handleBatch(partition: number, records: KafkaRecord[], context: BatchContext): Promise<void>
  /** After the last handler of the partition has ended: on revoke, before it is opened again, and on stop. */
  closePartition?(partition: number): Promise<void>
  /** Called once; nothing is handled afterwards. The process is expected to exit and to replay. */
  onFatal(error: unknown): void
  /** Lag that does not move for so long is fatal. Default 120,000 ms; above the longest insert deadline. */
  stallTimeoutMs?: number
}

export type PartitionConsumer = {
  /** Resolves when the group is joined; partitions are opened after that. */
  start(): Promise<void>
  /** Waits for running handlers, closes the partitions and leaves the group. */
  stop(): Promise<void>
  /** For readiness and gauges: the partitions that are open, with the offset each goes on with. */
  positions(): ReadonlyMap<number, bigint>
}

type PartitionState = {
  /** Steps of its life (close, open) one after the other. */
  life: Promise<void>
  running: Promise<void>
  opened: boolean
  accepting: boolean
  expected: bigint
  /** Fetches in a row that began elsewhere than expected. */
  misfits: number
  progressedAtMs: number
}

/**
 * Exactly-once consumption, partition by partition: the ledger behind `openPartition` decides where to go on, and no
 * offset is ever skipped. kafkajs resets a group by itself when an offset is out of range; therefore places are held
 * against the log's bounds before seeking, and every batch's first offset against the expected one.
 */
export function createPartitionConsumer(
  kafka: KafkaClient,
  options: PartitionConsumerOptions,
): PartitionConsumer {
  const { topic } = options
  const states = new Map<number, PartitionState>()
  let assigned = new Set<number>()
  let generation = 0
  let stopping = false
  let member: GroupMember
  let watchdog: { stop(): void } | undefined

  const stateOf = (partition: number): PartitionState => {
    const known = states.get(partition)
    if (known !== undefined) return known
    const idle = Promise.resolve()
    const flags = { opened: false, accepting: false, misfits: 0 }
    const state = { life: idle, running: idle, ...flags, expected: 0n, progressedAtMs: performance.now() }
    states.set(partition, state)
    return state
  }

  const close = async (partition: number, state: PartitionState): Promise<void> => {
    await state.running.catch(() => {})
    if (!state.opened) return
    state.opened = false
    await options.closePartition?.(partition)
  }

  /** Right after a broker came back it may not answer yet; that is no reason to give up the partition. */
  const boundsOf = async (partition: number, outdated: () => boolean): Promise<OffsetRange | undefined> => {
    while (!outdated()) {
      try {
        return await fetchOffsetRange(kafka, topic, partition)
      } catch (error) {
        if (!(error instanceof Failure && error.retryable)) throw error
        await delay(200)
      }
    }
    return undefined
  }

  const reopen = async (partition: number, state: PartitionState, joined: number): Promise<void> => {
    const outdated = (): boolean => stopping || joined !== generation || !assigned.has(partition)
    await close(partition, state)
    if (outdated()) return
    state.opened = true
    const { nextOffset } = await options.openPartition(partition)
    const log = await boundsOf(partition, outdated)
    if (log === undefined || outdated()) return
    assertWithinLog({ topic, partition }, nextOffset, log)
    Object.assign(state, {
      accepting: true,
      expected: nextOffset,
      misfits: 0,
      progressedAtMs: performance.now(),
    })
    kafka.log.info({ topic, partition, nextOffset, end: log.end }, 'partition opened')
    member.seek(topic, partition, nextOffset)
    member.resume(topic, [partition])
  }

  const release = (): void => {
    generation += 1
    for (const state of states.values()) state.accepting = false
  }

  const onAssigned = (assignment: ReadonlyMap<string, readonly number[]>): void => {
    release()
    const joined = generation
    assigned = new Set(assignment.get(topic) ?? [])
    // Not fetched before it is open: what kafkajs would start with is the group's offset, not the ledger's.
    member.pause(topic, [...assigned])
    for (const partition of new Set([...states.keys(), ...assigned])) {
      const state = stateOf(partition)
      state.life = state.life
        .then(() => reopen(partition, state, joined))
        .catch((error) => member.fail(error))
    }
  }

  /** True where the batch begins as expected; otherwise it is dropped, after a seek, unless the log itself is at fault. */
  const begins = (state: PartitionState, payload: EachBatchPayload, first: bigint): boolean => {
    if (first === state.expected) {
      state.misfits = 0
      return true
    }
    const place = { topic, partition: payload.batch.partition }
    const end = BigInt(payload.batch.highWatermark)
    if (end < state.expected) throw logRewound(place, state.expected, end)
    state.misfits += 1
    if (first > state.expected && state.misfits > 1) throw offsetGap(place, state.expected, first)
    if (state.misfits > 3) throw logRewound(place, state.expected, end)
    member.seek(topic, place.partition, state.expected)
    return false
  }

  const handle = async (state: PartitionState, payload: EachBatchPayload): Promise<void> => {
    const { messages, partition, highWatermark } = payload.batch
    const first = BigInt(messages[0]?.offset ?? 0)
    if (messages.length === 0 || !begins(state, payload, first)) return
    assertContiguous({ topic, partition }, messages)
    const records = messages.map((message, index) => toRecord(message, first + BigInt(index)))
    const joined = generation
    const isStillAssigned = (): boolean => joined === generation && state.accepting
    // kafkajs fetches nothing more, for any partition, while a batch of the last fetch waits: all of them wait with it.
    const reportProgress = (): void => {
      for (const each of states.values()) each.progressedAtMs = performance.now()
    }
    const context = { isStillAssigned, reportProgress, highWatermark: BigInt(highWatermark) }
    await options.handleBatch(partition, records, context)
    // After a rejoin the partition is opened again and asks the ledger; this batch's place means nothing any more.
    if (!isStillAssigned()) return
    state.expected = first + BigInt(records.length)
    state.progressedAtMs = performance.now()
    payload.resolveOffset((state.expected - 1n).toString())
    await commitNext(kafka, payload, state.expected)
  }

  const onBatch = async (payload: EachBatchPayload): Promise<void> => {
    const state = states.get(payload.batch.partition)
    if (payload.batch.topic !== topic || state === undefined || !state.accepting) return
    state.running = handle(state, payload)
    await state.running
  }

  member = createGroupMember(kafka, {
    ...options,
    topics: [topic],
    onAssigned,
    onLost: release,
    onBatch,
    onFatal: options.onFatal,
  })
  const accepting = (): [number, PartitionState][] => [...states].filter(([, state]) => state.accepting)

  return {
    async start() {
      await member.start()
      const stallTimeoutMs = options.stallTimeoutMs ?? 120_000
      watchdog = startWatchdog(kafka, { topic, stallTimeoutMs, partitions: accepting, onFatal: member.fail })
    },
    async stop() {
      stopping = true
      watchdog?.stop()
      await member.stop()
      release()
      for (const [partition, state] of states) {
        await state.life
        await close(partition, state)
      }
    },
    positions: () => new Map(accepting().map(([partition, state]) => [partition, state.expected])),
  }
}
