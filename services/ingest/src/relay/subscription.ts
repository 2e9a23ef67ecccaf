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
}

export type Subscription = Component & {
  /** Inbound topics that are read, each with its tenant. */
  tenants(): ReadonlyMap<string, Tenant>
}

/** Serves the inbound topic of every tenant, and of each new one within a poll: kafkajs fixes its topics when it joins. */
export function createSubscription(options: SubscriptionOptions): Subscription {
  const { prefix } = options
  let served = new Map<string, Tenant>()
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const refresh = async (): Promise<void> => {
    const tenants = await listTenants(options.pool)
    const wanted = new Map(tenants.map((tenant) => [prefix + inboundTopic(tenant.id), tenant]))
    if ([...wanted.keys()].some((topic) => !served.has(topic))) {
      // A tenant comes before its topic; one topic that is not there yet would keep all others from being joined.
      const existing = new Set(await listTopics(options.kafka))
      served = new Map([...wanted].filter(([topic]) => existing.has(topic)))
    }
    // The same list as before changes nothing; a list that could not be joined is tried again.
    await options.consumer.resubscribe([...served.keys()])
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
    tenants: () => served,
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
