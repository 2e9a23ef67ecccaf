import { missingInstallation } from '@tidemark/schemas/prefix.ts'
import { DatabaseError } from 'pg'
import { Failure } from '../process/failure.ts'

/** A row that a constraint refused; callers decide by the constraint's name, never by a message. */
export class ConstraintFailure extends Failure {
  readonly constraint: string

  constructor(message: string, options: { code: string; constraint: string; cause: unknown }) {
    super(message, { ...options, retryable: false })
    this.name = 'ConstraintFailure'
    this.constraint = options.constraint
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const constraintCodes: Record<string, string> = {
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
}

const retryableCodes: Record<string, string> = {
  '40001': 'postgres_serialization',
  '40P01': 'postgres_deadlock',
  '55P03': 'postgres_lock_not_available',
  '57014': 'postgres_timeout',
  '57P01': 'postgres_shutting_down',
  '57P02': 'postgres_crashed',
  '57P03': 'postgres_starting',
  // A server that has just become a replica, until the pool meets the new primary.
  '25006': 'postgres_read_only',
  '25P03': 'postgres_timeout',
  '25P04': 'postgres_timeout',
}

const retryableClasses: Record<string, string> = {
  '08': 'postgres_unreachable',
  '53': 'postgres_out_of_resources',
}

const unknownDatabase = '3D000'

/** The one place where PostgreSQL's errors become Failures. */
export function asPostgresFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof DatabaseError) return fromServer(error)
  const message = error instanceof Error ? error.message : String(error)
  if (isConnectionError(error))
    return new Failure(`PostgreSQL does not answer: ${message}`, {
      code: 'postgres_unreachable',
      retryable: true,
      cause: error,
    })
  return new Failure(`PostgreSQL: ${message}`, { code: 'postgres_client', retryable: false, cause: error })
}

function fromServer(error: DatabaseError): Failure {
  const state = error.code ?? ''
  const said = `PostgreSQL: ${error.message}${error.detail === undefined ? '' : ` (${error.detail})`}`
  const message = state === unknownDatabase ? `${said}; ${missingInstallation}` : said
  const constraint = constraintCodes[state]
  if (constraint !== undefined)
    return new ConstraintFailure(message, {
      code: constraint,
      constraint: error.constraint ?? error.column ?? '',
      cause: error,
    })
  const retryable = retryableCodes[state] ?? retryableClasses[state.slice(0, 2)]
  return new Failure(message, {
    code: retryable ?? `postgres_${state === '' ? 'error' : state.toLowerCase()}`,
    retryable: retryable !== undefined,
    cause: error,
  })
}

/**
 * What is no answer of the server is the network's: a connection refused, reset, ended or not there in time, for which
 * pg has no codes of its own. A TypeError or the like is our own fault.
 */
function isConnectionError(error: unknown): boolean {
  const isOurs = [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind)
  return error instanceof Error && !isOurs
}
