import { Redis } from 'ioredis'
import { Failure } from '../process/failure.ts'
import type { Log } from '../process/log.ts'

export type RedisClient = Redis

export type RedisClientOptions = {
  url: string
  /** Precedes every key, so that installations never meet. */
  prefix: string
  applicationName: string
  log: Log
  /** Longest wait for one answer; whoever uses Redis must be able to do without it. */
  commandTimeoutMs?: number
  connectTimeoutMs?: number
  /**
   * For what had better not be asked than wait: commands fail at once while there is no connection, with it when it
   * breaks, and a connection that owes an answer for this long is made anew.
   */
  silenceMs?: number
}

/**
 * A client that reconnects for as long as it lives, but gives up each single command after three connections or the
 * command's timeout: Redis here only spares work, so nothing may hang on it. `connect()` opens it.
 */
export function createRedis(options: RedisClientOptions): Redis {
  const redis = new Redis(options.url, {
    lazyConnect: true,
    keyPrefix: options.prefix,
    connectionName: options.applicationName,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    commandTimeout: options.commandTimeoutMs ?? 2_000,
    maxRetriesPerRequest: 3,
    retryStrategy: reconnectDelayMs,
    ...(options.silenceMs === undefined
      ? {}
      : { enableOfflineQueue: false, maxRetriesPerRequest: 0, socketTimeout: options.silenceMs }),
  })
  let reported = false
  // One line per outage: the client repeats the event at every attempt.
  redis.on('error', (error: unknown) => {
    if (!reported) options.log.warn({ err: error }, 'Redis does not answer')
    reported = true
  })
  redis.on('ready', () => {
    reported = false
  })
  return redis
}

/** @throws Failure `redis_unreachable`, retryable */
export async function pingRedis(redis: Redis): Promise<void> {
  try {
    await redis.ping()
  } catch (error) {
    throw asRedisFailure(error)
  }
}

/** An answer of the server, like WRONGTYPE, is final; everything else is the connection. */
export function asRedisFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  const isAnswer = error instanceof Error && error.name === 'ReplyError'
  return new Failure(isAnswer ? `Redis: ${message}` : `Redis does not answer: ${message}`, {
    code: isAnswer ? 'redis_refused' : 'redis_unreachable',
    retryable: !isAnswer,
    cause: error,
  })
}

/** Doubles to two seconds; the random part keeps many processes from coming back at the same moment. */
export function reconnectDelayMs(attempt: number): number {
  const delayMs = Math.min(50 * 2 ** Math.min(attempt, 10), 2_000)
  return Math.round(delayMs * (0.5 + Math.random() / 2))
}
