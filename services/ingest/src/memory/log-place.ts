import { randomBytes } from 'node:crypto'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchClusterId, fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { currentLog, usageEventsTopic } from '@tidemark/schemas/topics.ts'

export type LogPlaceOptions = { kafka: KafkaClient; redis: RedisClient; prefix: string; ttlSeconds: number }

/**
 * Takes up what is new about the log. KEYS[1]: what is kept of it. ARGV: the era that was read ('' for none), the era from
 * now on, seconds, then partition and end offset in turns. Whoever was faster has seen the same: its era holds.
 */
const takeUpScript = `
local place = KEYS[1]
local era = redis.call('HGET', place, 'era')
if (era or '') ~= ARGV[1] then return era end
if ARGV[1] ~= ARGV[2] then redis.call('DEL', place) end
redis.call('HSET', place, 'era', ARGV[2])
for at = 4, #ARGV, 2 do
  local known = redis.call('HGET', place, ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then redis.call('HSET', place, ARGV[at], ARGV[at + 1]) end
end
redis.call('EXPIRE', place, ARGV[3])
return ARGV[2]
`

/**
 * What the keys of the log that Kafka holds now begin with: the cluster's id, the log's number, and an era, which changes
 * when the log has become shorter than it was seen: a topic that is deleted and made anew keeps cluster and number, and
 * holds nothing of what was acknowledged before.
 */
export async function findLogPlace(options: LogPlaceOptions): Promise<string> {
  const { kafka, redis, prefix } = options
  const place = `acknowledged:${await fetchClusterId(kafka)}:${currentLog}`
  // Read before Kafka is asked: what another process writes meanwhile must not look like a log that shrank.
  const seen = await redis.hgetall(place)
  const ends = await fetchEndOffsets(kafka, prefix + usageEventsTopic)
  const isSame = seen.era !== undefined && !hasShrunk(seen, ends)
  const era = isSame ? seen.era : randomBytes(6).toString('hex')
  const args = [...ends].flatMap(([partition, end]) => [String(partition), String(end)])
  // It outlives every key under it: without it, a new era begins.
  const seconds = 2 * options.ttlSeconds
  const held = await redis.eval(takeUpScript, 1, place, seen.era ?? '', era ?? '', seconds, ...args)
  return `${place}:${String(held)}:`
}

function hasShrunk(seen: Readonly<Record<string, string>>, ends: ReadonlyMap<number, bigint>): boolean {
  return Object.entries(seen).some(
    ([partition, end]) => partition !== 'era' && (ends.get(Number(partition)) ?? 0n) < BigInt(end),
  )
}
