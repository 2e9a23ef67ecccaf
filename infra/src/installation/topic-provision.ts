import type { TopicSpec } from '@tidemark/schemas/topics.ts'
import { Type } from 'typebox'
import { durableTopicConfig, type TopicProvision } from '../kafka/topics.ts'

export const topicSettings = {
  KAFKA_REPLICATION_FACTOR: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 9,
    description:
      'Copies of each record in topics made from now on; 3 in production, 1 on the local stack of one broker.',
  }),
}

/** What the table of topics says, as one installation has it. */
export const topicProvision = (
  spec: TopicSpec,
  installation: { prefix: string; replicationFactor: number },
): TopicProvision => ({
  name: installation.prefix + spec.name,
  partitions: spec.partitions,
  replicationFactor: installation.replicationFactor,
  config: durableTopicConfig({
    replicationFactor: installation.replicationFactor,
    retentionMs: spec.retentionMs,
  }),
})
