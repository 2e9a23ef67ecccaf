import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import type { UsageMessage } from '../events/usage-record.ts'
import { type AcknowledgedQueue, createAcknowledgedQueue } from './acknowledged-queue.ts'
import { createLookups } from './lookups.ts'
import type { Memory, Recollection } from './memory.ts'
import type { MemoryMetrics } from './memory-metrics.ts'
import { createMemoryStore, hashBytes } from './redis-store.ts'

export type RedisMemoryOptions = {
  /** Answers questions. */
  redis: RedisClient
  /** Takes in what was acknowledged: on one connection, questions would wait for it. */
  writingRedis: RedisClient
  metrics: MemoryMetrics
  ttlSeconds: number
  timeoutMs: number
}

export type RedisMemory = Memory & {
  /** The tenants that want it, by number. */
  serve(tenants: ReadonlySet<number>): void
  /** What the keys of today's log begin with; before it is known nothing is recalled or remembered. */
  useLog(base: string): void
  /** Writes what was acknowledged so far. */
  flush(): Promise<void>
}

export function createRedisMemory(options: RedisMemoryOptions): RedisMemory {
  const { redis, writingRedis, metrics } = options
  const store = createMemoryStore(options)
  let tenants: ReadonlySet<number> = new Set()
  let base = ''

  const lookups = createLookups({
    ask: (identities) => store.recall(base, identities),
    timeoutMs: options.timeoutMs,
    onLate: () => metrics.failed('late'),
    onFailed: () => metrics.failed('failed'),
  })
  const acknowledged: AcknowledgedQueue = createAcknowledgedQueue({
    write: (entries) => store.remember(base, entries),
    onRemembered: metrics.remembered,
    onForgotten: metrics.forgotten,
  })
  const canAsk = (): boolean => base !== '' && redis.status === 'ready'

  return {
    isOn: (tenantNumber) => tenants.has(tenantNumber),
    async recall(messages) {
      if (messages.length === 0) return []
      const hashes = canAsk() ? await lookups.lookUp(messages.map(({ key }) => key)) : undefined
      const recollections =
        hashes === undefined || hashes.length === 0
          ? messages.map(() => 'unknown' as const)
          : messages.map((message, position) => recollectionOf(message, hashes, position * hashBytes))
      count(recollections, hashes !== undefined)
      return recollections
    },
    remember(messages) {
      if (base !== '' && writingRedis.status === 'ready') acknowledged.add(messages)
      else metrics.forgotten(messages.length)
    },
    serve(wanted) {
      tenants = wanted
    },
    useLog(next) {
      if (next !== base) acknowledged.clear()
      base = next
    },
    flush: () => acknowledged.flush(),
  }

  function count(recollections: readonly Recollection[], isAsked: boolean): void {
    let [same, other] = [0, 0]
    for (const recollection of recollections) {
      if (recollection === 'same') same += 1
      else if (recollection === 'other') other += 1
    }
    metrics.answered('duplicate', same)
    metrics.answered('possible_conflict', other)
    metrics.answered(isAsked ? 'unknown' : 'unasked', recollections.length - same - other)
  }
}

const none = Buffer.alloc(hashBytes)

function recollectionOf({ payloadHash }: UsageMessage, hashes: Buffer, at: number): Recollection {
  // A correction has the identity of what it supersedes, and another payload: only the log decides it.
  if (payloadHash === undefined) return 'unknown'
  const end = at + hashBytes
  if (payloadHash.compare(hashes, at, end) === 0) return 'same'
  return none.compare(hashes, at, end) === 0 ? 'unknown' : 'other'
}
