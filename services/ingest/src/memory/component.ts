import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createTopicIdentityReader, type TopicIdentity } from '@tidemark/infra/kafka/topic-identity.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { createPolling } from '@tidemark/infra/process/polling.ts'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { type UsageLog, usageEventsTopicOf } from '@tidemark/schemas/topics.ts'
import type { Memory } from './memory.ts'
import { createMemoryMetrics } from './memory-metrics.ts'
import { createRedisMemory } from './redis-memory.ts'
import { readRememberedTenants } from './switches.ts'

export type MemoryOptions = {
  pool: Queryable
  kafka: KafkaClient
  /** Connections of its own, not opened before a tenant wants a memory; this component ends them. */
  redis: RedisClient
  writingRedis: RedisClient
  log: Log
  metrics: Metrics
  prefix: string
  usageLog: UsageLog
  ttlSeconds: number
  timeoutMs: number
  pollMs: number
}

/** How long a stop waits for what was acknowledged last to be written: forgetting it changes no bill. */
const flushMs = 500

/** A memory that follows the switches in the database, and the log that Kafka holds. */
export function createMemoryComponent(options: MemoryOptions): { memory: Memory; component: Component } {
  const { pool, redis, writingRedis, log } = options
  const memory = createRedisMemory({ ...options, metrics: createMemoryMetrics(options.metrics) })
  const identity = createTopicIdentityReader(
    options.kafka,
    options.prefix + usageEventsTopicOf(options.usageLog.log),
  )
  let tenants: ReadonlySet<number> = new Set()

  async function poll(): Promise<void> {
    try {
      tenants = await readRememberedTenants(pool)
    } catch (error) {
      log.warn({ code: asFailure(error).code }, 'who wants a memory could not be read; the last ones have it')
    }
    try {
      // A failure to connect is logged by the client, which goes on trying; everything is published meanwhile.
      if (tenants.size > 0 && redis.status === 'wait')
        await Promise.allSettled([redis.connect(), writingRedis.connect()])
      const isUsed = tenants.size > 0 && redis.status === 'ready'
      memory.useLog(isUsed ? keysOf(await identity.read(), options.usageLog) : '')
    } catch (error) {
      // Which log Kafka holds is not known: what is remembered may be of another.
      memory.useLog('')
      log.warn({ code: asFailure(error).code }, 'ids are neither remembered nor recalled')
    }
    memory.serve(tenants)
  }

  const polling = createPolling(options.pollMs, poll)
  const component: Component = {
    name: 'memory of acknowledged ids',
    start: polling.start,
    async stop() {
      const ended = Promise.all([memory.flush(), polling.stop()])
      await Promise.race([ended, pause(flushMs, undefined, { ref: false })])
      redis.disconnect()
      writingRedis.disconnect()
      await identity.close()
    },
  }
  return { memory, component }
}

/**
 * What the keys begin with. A rebuilt cluster has another id, and a topic that is deleted and made anew has another one of
 * its own: they hold nothing of what the old one acknowledged.
 */
const keysOf = ({ clusterId, topicId }: TopicIdentity, { log }: UsageLog): string =>
  `acked:${clusterId}:${log}:${topicId}:`
