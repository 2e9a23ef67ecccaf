import { createHash } from 'node:crypto'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'

/** Bytes of a payload hash, and of what stands for none. */
export const hashBytes = 16
/** An identity, then its payload hash. */
export const entryBytes = identityKeyBytes + hashBytes

/**
 * KEYS[1]: what every key begins with. ARGV[1]: identities, one behind the other. Gives back their payload hashes in the
 * same order, zeros for those without; nothing at all where none is known, which is the rule.
 */
const recallScript = `
local base, identities = KEYS[1], ARGV[1]
local none = string.rep('\\0', ${hashBytes})
local found, isAny = {}, false
for at = 1, #identities, ${identityKeyBytes} do
  local hash = redis.call('GET', base .. string.sub(identities, at, at + ${identityKeyBytes - 1}))
  if hash and #hash == ${hashBytes} then
    found[#found + 1] = hash
    isAny = true
  else
    found[#found + 1] = none
  end
end
return isAny and table.concat(found) or ''
`

/**
 * KEYS[1] as above. ARGV[1]: entries, one behind the other; ARGV[2]: seconds. The first payload of an identity stays, as
 * it does in the log.
 */
const rememberScript = `
local base, entries, seconds = KEYS[1], ARGV[1], ARGV[2]
for at = 1, #entries, ${entryBytes} do
  local key = base .. string.sub(entries, at, at + ${identityKeyBytes - 1})
  redis.call('SET', key, string.sub(entries, at + ${identityKeyBytes}, at + ${entryBytes - 1}), 'EX', seconds, 'NX')
end
`

export type MemoryStoreOptions = { redis: RedisClient; writingRedis: RedisClient; ttlSeconds: number }

export type MemoryStore = {
  /** The payload hash of each identity, zeros for what is not known; empty when none is. */
  recall(base: string, identities: Buffer): Promise<Buffer>
  remember(base: string, entries: Buffer): Promise<void>
}

/**
 * One script for many identities: a command of its own for each costs this process several times as much. Keys that a
 * script puts together lie where they should on one Redis server and its replicas, not in a Redis Cluster.
 */
export function createMemoryStore({ redis, writingRedis, ttlSeconds }: MemoryStoreOptions): MemoryStore {
  const recall = scriptOn(redis, recallScript)
  const remember = scriptOn(writingRedis, rememberScript)
  return {
    async recall(base, identities) {
      const hashes = await recall(base, identities)
      return Buffer.isBuffer(hashes) ? hashes : nothing
    },
    async remember(base, entries) {
      await remember(base, entries, ttlSeconds)
    },
  }
}

const nothing = Buffer.alloc(0)

type Script = (key: string, ...values: (Buffer | number)[]) => Promise<unknown>

/** Runs a script of one key by its hash: Redis would hash the whole text again for each question. */
function scriptOn(redis: RedisClient, text: string): Script {
  const hash = createHash('sha1').update(text).digest('hex')
  return async (key, ...values) => {
    try {
      return await redis.callBuffer('EVALSHA', hash, 1, key, ...values)
    } catch (error) {
      // A Redis that was restarted, or emptied of scripts, learns it anew.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return redis.callBuffer('EVAL', text, 1, key, ...values)
    }
  }
}
