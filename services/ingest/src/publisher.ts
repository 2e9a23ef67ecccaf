import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'

export type PublisherOptions = {
  topic: string
  sendTimeoutMs: number
  sendsInFlight: number
  queueBytes: number
}

export type Publisher = {
  /** Resolves when every in-sync replica has them; rejects as the batcher does. */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  queuedBytes(): number
  /** Why sending does not get on, while it does not. */
  fault(): string | undefined
  /** Refuses what comes next, sends what was taken in, and ends the connection. */
  close(): Promise<void>
}

/** After so long without another attempt a failure says nothing any more: nobody asks, so nothing can succeed. */
const faultCountsMs = 10_000

/** One topic's group commit on a producer of its own, so that large sends of one do not delay those of another. */
export function createPublisher(kafka: KafkaClient, options: PublisherOptions): Publisher {
  const producer = createProducer(kafka, { sendTimeoutMs: options.sendTimeoutMs })
  let failed: { atMs: number; reason: string } | undefined
  let toldAtMs = -faultCountsMs
  /** An ACL or a password is for a person to mend; told once in a while, not with every request. */
  const tellRefusal = (error: unknown): void => {
    const now = performance.now()
    if (!(error instanceof Failure) || error.code !== 'kafka_refused' || now - toldAtMs < faultCountsMs)
      return
    toldAtMs = now
    kafka.log.error({ topic: options.topic, reason: error.message }, 'Kafka refuses what is published')
  }
  const batcher = createBatcher({
    maxInFlight: options.sendsInFlight,
    maxQueuedBytes: options.queueBytes,
    async send(messages) {
      try {
        await producer.send(options.topic, messages)
        failed = undefined
      } catch (error) {
        tellRefusal(error)
        failed = { atMs: performance.now(), reason: String(error) }
        throw error
      }
    },
  })
  return {
    publish: batcher.publish,
    queuedBytes: batcher.queuedBytes,
    fault: () =>
      failed && performance.now() - failed.atMs < faultCountsMs
        ? `Sending to ${options.topic} fails: ${failed.reason}`
        : undefined,
    async close() {
      await batcher.close()
      await producer.disconnect()
    },
  }
}
