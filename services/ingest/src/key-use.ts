import { setTimeout as pause } from 'node:timers/promises'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'

export type KeyUse = Component & { note(keyId: string): void }

/** Often enough to find keys that nobody uses, seldom enough to cost nothing. */
const intervalMs = 30_000

/** Remembers which keys were used, and writes it down now and then: a request never waits for it. */
export function createKeyUse(pool: Queryable, clock: Clock, log: Log): KeyUse {
  let used = new Map<string, number>()
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const write = async (): Promise<void> => {
    if (used.size === 0) return
    const written = used
    used = new Map()
    await pool
      .query(
        `UPDATE access.api_keys k SET last_used_at = to_timestamp(u.at / 1000.0)
         FROM unnest($1::text[], $2::float8[]) AS u (id, at)
         WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < to_timestamp(u.at / 1000.0))`,
        [[...written.keys()], [...written.values()]],
      )
      .catch((error: unknown) => {
        log.warn({ code: asFailure(error).code }, 'last use of API keys could not be written')
      })
  }

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await pause(intervalMs, undefined, { signal: stopped.signal }).catch(() => {})
      await write()
    }
  }

  return {
    name: 'use of API keys',
    note: (keyId) => used.set(keyId, clock.now()),
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}
