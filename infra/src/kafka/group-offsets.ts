import type { KafkaClient } from './client.ts'

/** Where a group goes on, by topic and partition; partitions that it never committed are left out. */
export async function fetchCommittedOffsets(
  kafka: KafkaClient,
  groupId: string,
  topics: readonly string[],
): Promise<Map<string, Map<number, bigint>>> {
  if (topics.length === 0) return new Map()
  const answer = await kafka.withAdmin(`asking for the offsets of group ${groupId}`, (admin) =>
    admin.fetchOffsets({ groupId, topics: [...topics] }),
  )
  return new Map(
    answer.map(({ topic, partitions }) => [
      topic,
      new Map(
        partitions
          .map(({ partition, offset }): [number, bigint] => [partition, BigInt(offset)])
          .filter(([, offset]) => offset >= 0n),
      ),
    ]),
  )
}
