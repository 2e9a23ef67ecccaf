import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { TakeLease } from './bucket.ts'

/**
 * Adds to the window's count; whoever crosses the rate makes the window longer by what is owed, so that the next one
 * begins when it is paid. KEYS: the count. ARGV, as the limiter gives them: amount, seconds, rate.
 */
const addToWindow = `
local used = redis.call('incrby', KEYS[1], ARGV[1])
local before = used - tonumber(ARGV[1])
local rate = tonumber(ARGV[3])
local ttl = redis.call('pttl', KEYS[1])
if ttl < 0 then
  ttl = 1000 * tonumber(ARGV[2])
  redis.call('pexpire', KEYS[1], ttl)
end
if before < rate and used > rate then
  ttl = ttl + math.ceil((used - rate) * 1000 / rate)
  redis.call('pexpire', KEYS[1], ttl)
end
return {used, ttl}
`

/** Redis that answers later than this is left alone for a second, or each lease would wait for its timeout. */
const slowMs = 100
const restMs = 1_000

/**
 * Leases from a window of one second in Redis, or, while Redis does not answer, in this process alone. The rate is part of
 * the key: a limit that is changed begins anew.
 */
export function createSharedWindow(
  redis: RedisClient,
  name: string,
  rate: number,
  now: () => number,
): TakeLease {
  const window = { keyPrefix: 'limit', points: rate, duration: 1 }
  const alone = new RateLimiterMemory(window)
  const shared = new RateLimiterRedis({
    ...window,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: addToWindow,
    insuranceLimiter: alone,
  })
  const key = `${name}:${rate}`
  let restUntil = 0
  return async (amount) => {
    const asked = now()
    const limiter = asked < restUntil ? alone : shared
    // The limiter throws the same answer when the rate is crossed; whether that grants is the bucket's to say.
    const answer = await limiter.consume(key, amount).catch((reason: unknown) => {
      if (reason instanceof RateLimiterRes) return reason
      throw reason
    })
    if (now() - asked > slowMs) restUntil = now() + restMs
    return { used: answer.consumedPoints, windowMs: answer.msBeforeNext }
  }
}
