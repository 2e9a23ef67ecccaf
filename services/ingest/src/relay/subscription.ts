import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import type { TopicConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { listTopics } from '@tidemark/infra/kafka/topics.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { inboundTopic } from '@tidemark/schemas/topics.ts'
import { listTenants, type Tenant } from '../tenants.ts'

export type SubscriptionOptions = {
  pool: Queryable
  kafka: KafkaClient
  consumer: TopicConsumer
  prefix: string
  log: Log
  pollMs: number
  /** Nothing is read before it resolves. */
  ready(): Promise<void>
  /** A topic that was read is not there any more. */
  onGone(topic: string): void
}

export type Subscription = Component & {
  /** Inbound topics that are read. */
  topics(): readonly string[]
  /** Those of tenants that do not exist. */
  missingTopics(): readonly string[]
  /** Also of a topic that was just dropped: its last batch may still be under way. */
  tenantOf(topic: string): Tenant | undefined
  /** With the next poll: the consumer gave up for a reason that may pass, a missing ACL for one. HTTP goes on meanwhile. */
  rejoin(): void
}

/**
 * Serves the inbound topic of every tenant, and of each new one within a poll: kafkajs fixes its topics when it joins. One
 * that was deleted is dropped: kafkajs would ask for it again and again, and read nothing else meanwhile.
 */
export function createSubscription(options: SubscriptionOptions): Subscription {
  const { prefix } = options
  const known = new Map<string, Tenant>()
  let served: readonly string[] = []
  let missing: readonly string[] = []
  let hasGivenUp = false
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const refresh = async (): Promise<void> => {
    await options.ready()
    for (const tenant of await listTenants(options.pool)) known.set(prefix + inboundTopic(tenant.id), tenant)
    // A tenant comes before its topic; one topic that is not there would keep all others from being joined.
    const existing = new Set(await listTopics(options.kafka))
    const gone = served.filter((topic) => !existing.has(topic))
    served = [...known.keys()].filter((topic) => existing.has(topic))
    missing = [...known.keys()].filter((topic) => !existing.has(topic))
    // The same list as before changes nothing; a list that could not be joined is tried again.
    try {
      if (hasGivenUp) await options.consumer.resubscribe([])
      hasGivenUp = false
      await options.consumer.resubscribe(served)
    } finally {
      // After the last batch of the old subscription, also where the new one could not be joined.
      for (const topic of gone) options.onGone(topic)
    }
  }

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await refresh().catch((error: unknown) => {
        const { code, message } = asFailure(error)
        options.log.warn({ code, reason: message }, 'tenants of the relay could not be refreshed')
      })
      await pause(options.pollMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }

  return {
    name: 'relay subscription',
    topics: () => served,
    missingTopics: () => missing,
    tenantOf: (topic) => known.get(topic),
    rejoin() {
      hasGivenUp = true
    },
    async start() {
      await options.consumer.start()
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
      await options.consumer.stop()
    },
  }
}
