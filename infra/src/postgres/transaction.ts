import { Failure } from '../process/failure.ts'
import { asPostgresFailure } from './failures.ts'
import type { Connection, Pool, Queryable } from './pool.ts'

export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

export type TransactionOptions = {
  /** Default: read committed. Above it, expect retryable failures with code `postgres_serialization`. */
  isolation?: Isolation
  readOnly?: boolean
}

const begin: Record<Isolation, string> = {
  'read committed': 'BEGIN ISOLATION LEVEL READ COMMITTED',
  'repeatable read': 'BEGIN ISOLATION LEVEL REPEATABLE READ',
  serializable: 'BEGIN ISOLATION LEVEL SERIALIZABLE',
}

/**
 * Runs `fn` in one transaction: committed when it resolves, rolled back when it rejects, whatever with. A connection
 * lost during COMMIT gives a Failure `commit_unknown` that is not retryable: the transaction may be there, so the
 * caller looks first (by a key of its own) instead of writing a second time.
 */
export function transaction<T>(
  pool: Pool,
  fn: (queryable: Queryable) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return pool.withConnection(async (connection) => {
    const mode = options.readOnly === true ? ' READ ONLY' : ''
    await connection.query(`${begin[options.isolation ?? 'read committed']}${mode}`)
    let result: T
    try {
      result = await fn(connection)
    } catch (error) {
      // Why the work failed is what the caller needs; a connection that cannot even roll back is thrown away.
      await connection.query('ROLLBACK').catch(() => connection.discard())
      throw error
    }
    await commit(connection)
    return result
  })
}

/** Failures after which nobody has told us whether the commit happened. */
const lostCodes = new Set(['postgres_unreachable', 'postgres_shutting_down', 'postgres_crashed'])

async function commit(connection: Connection): Promise<void> {
  try {
    const { command } = await connection.query('COMMIT')
    if (command === 'COMMIT') return
  } catch (error) {
    const failure = asPostgresFailure(error)
    if (!lostCodes.has(failure.code)) throw failure
    connection.discard()
    throw new Failure('The connection was lost during COMMIT: the transaction may or may not be there', {
      code: 'commit_unknown',
      retryable: false,
      cause: failure,
    })
  }
  // PostgreSQL answers ROLLBACK, without an error, when a statement failed and somebody swallowed its failure.
  throw new Failure(
    'The transaction was rolled back, for a statement in it had failed and was not reported',
    {
      code: 'rolled_back',
      retryable: false,
    },
  )
}
