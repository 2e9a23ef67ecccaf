import { createHash } from 'node:crypto'
import { Failure } from '../process/failure.ts'
import type { AdminConnection } from './admin-connection.ts'

/**
 * Runs `fn` while this session holds the advisory lock of that name; a second process waits, at most `timeoutMs`. The
 * server frees the lock when the session ends, so a process killed in between blocks nobody.
 */
export async function withSessionLock<T>(
  session: AdminConnection,
  name: string,
  timeoutMs: number,
  fn: () => Promise<T>,
): Promise<T> {
  const key = lockKey(name)
  await session.query("SELECT set_config('lock_timeout', $1, false)", [`${timeoutMs}ms`])
  try {
    await session.query('SELECT pg_advisory_lock($1)', [key])
  } catch (cause) {
    if (!(cause instanceof Failure && cause.code === 'postgres_lock_not_available')) throw cause
    throw new Failure(
      `Another process has held the lock "${name}" for ${timeoutMs} ms; end it or wait, then start again`,
      { code: 'migration_locked', retryable: true, cause },
    )
  }
  try {
    return await fn()
  } finally {
    // When the session is lost, so is the lock; the failure that lost it is the one to report.
    await session.query('SELECT pg_advisory_unlock($1)', [key]).catch(() => {})
  }
}

function lockKey(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigInt64BE(0)
}
