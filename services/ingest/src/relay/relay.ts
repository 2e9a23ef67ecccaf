import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchCommittedOffsets } from '@tidemark/infra/kafka/group-offsets.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { fetchOffsetRanges } from '@tidemark/infra/kafka/topics.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { type RelayBatchOptions, relayBatch } from './relay-batch.ts'
import type { Offsets } from './relay-watermark.ts'
import { createSubscription } from './subscription.ts'
import { createRelayWatermarks } from './watermarks.ts'

export type RelayOptions = Omit<RelayBatchOptions, 'stopping'> & {
  kafka: KafkaClient
  pool: Queryable
  clickHouse: ClickHouse
  clock: Clock
  prefix: string
  tenantPollMs: number
  watermarkIntervalMs: number
  fatal: Fatal
}

export type Relay = {
  readonly components: readonly Component[]
  fault(): string | undefined
}

/**
 * From usage.inbound.<tenant> to usage.events. The group's committed offset, written only after the acknowledgements,
 * says how far it is; several relays share the partitions.
 */
export function createRelay(options: RelayOptions): Relay {
  const { kafka, log, prefix } = options
  const groupId = `${prefix}ingest-relay`
  const stopping = new AbortController()
  /** What this process has relayed, by topic and partition: a commit may fail, this does not. */
  const relayed = new Map<string, Map<number, bigint>>()

  const consumer = createConsumer(kafka, {
    groupId,
    topics: [],
    onFatal(error) {
      const { code, message, retryable } = asFailure(error)
      if (!retryable && code !== 'kafka_refused') return options.fatal(error)
      log.error({ groupId, code, reason: message }, 'the relay is out of its group and joins again')
      subscription.rejoin()
    },
    onHalt: (topic, partition, { code, message }) =>
      log.error({ topic, partition, code, reason: message }, 'the relay of a partition is stopped'),
    async handleBatch(topic, partition, records, context) {
      const tenant = subscription.tenantOf(topic)
      const last = records[records.length - 1]
      if (tenant === undefined)
        throw new Failure(`${topic} belongs to no tenant`, { code: 'unexpected', retryable: false })
      const batch = { tenant, topic, partition, records, context }
      const isDone = await relayBatch(batch, { ...options, stopping: stopping.signal })
      if (!isDone || last === undefined) return
      const partitions = relayed.get(topic) ?? new Map<number, bigint>()
      relayed.set(topic, partitions.set(partition, last.offset + 1n))
      log.debug({ topic, partition, records: records.length, offset: last.offset }, 'records relayed')
    },
  })
  const subscription = createSubscription({
    pool: options.pool,
    kafka,
    consumer,
    prefix,
    log,
    pollMs: options.tenantPollMs,
    ready: async () => options.dataChecks.unread(),
    onGone(topic) {
      // Made anew it begins at 0 again, also for the broker, which forgets a group's offsets with the topic.
      relayed.delete(topic)
      log.error(
        { topic },
        'an inbound topic is gone, or no ACL lets ingest see it: what was not relayed of a deleted one is lost. ' +
          '"keys -- create --tenant" makes it again, "acls -- check" names a missing ACL',
      )
    },
  })

  const fetchRelayed = async (topics: readonly string[]): Promise<Offsets> => {
    const committed = await fetchCommittedOffsets(kafka, groupId, topics)
    for (const [topic, partitions] of relayed) {
      const known = committed.get(topic) ?? new Map<number, bigint>()
      committed.set(topic, known)
      for (const [partition, next] of partitions)
        if (next > (known.get(partition) ?? 0n)) known.set(partition, next)
    }
    return committed
  }

  const watermarks = createRelayWatermarks({
    clickHouse: options.clickHouse,
    clock: options.clock,
    log,
    prefix,
    intervalMs: options.watermarkIntervalMs,
    topics: subscription.topics,
    missingTopics: subscription.missingTopics,
    fetchOffsetRanges: (topic) => fetchOffsetRanges(kafka, topic),
    fetchRelayed,
    onLag: options.metrics.relayLag,
    onStopped: options.metrics.relayStopped,
    onStalled: options.metrics.relayStalled,
  })
  const waiting: Component = { name: 'relay', start: () => {}, stop: () => stopping.abort() }
  return { components: [subscription, watermarks, waiting], fault: watermarks.fault }
}
