import { registerRecordSchema, rejectedEventRecord } from '@tidemark/infra/installation/record-schemas.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import type { SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { usageRejectedTopic } from '@tidemark/schemas/topics.ts'

export type RejectedPublisher = {
  /** Resolves when every in-sync replica has them. */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  close(): Promise<void>
}

/** Rejections are rare: neither Kafka nor the registry is asked before the first one. */
export function createRejectedPublisher(
  kafka: KafkaClient,
  registry: SchemaRegistry,
  prefix: string,
): RejectedPublisher {
  const topic = `${prefix}${usageRejectedTopic}`
  const producer = createProducer(kafka)
  const batcher = createBatcher({ send: (messages) => producer.send(topic, messages) })
  let schemaId: number | undefined
  return {
    async publish(messages) {
      schemaId ??= await registerRecordSchema(registry, prefix, rejectedEventRecord)
      const id = schemaId
      await batcher.publish(messages.map((message) => ({ ...message, value: frame(id, message.value) })))
    },
    async close() {
      await batcher.close()
      await producer.disconnect()
    },
  }
}
