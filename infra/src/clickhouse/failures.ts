import { ClickHouseError } from '@clickhouse/client'
import { missingInstallation } from '@tidemark/schemas/prefix.ts'
import { Failure } from '../process/failure.ts'

/**
 * Codes of the server after which the same statement may succeed, because something was busy, full, starting or cut
 * off: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp. An insert whose fate is unknown
 * is among them: writing the same rows again changes nothing.
 */
const retryableCodes = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF: the body was cut off on its way
  159, // TIMEOUT_EXCEEDED
  160, // TOO_SLOW
  164, // READONLY
  173, // CANNOT_ALLOCATE_MEMORY
  201, // QUOTA_EXCEEDED
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  384, // PART_IS_TEMPORARILY_LOCKED
  394, // QUERY_WAS_CANCELLED
  439, // CANNOT_SCHEDULE_TASK
  499, // S3_ERROR
  745, // SERVER_OVERLOADED
  999, // KEEPER_EXCEPTION
])

const unknownDatabase = 81

/** The one place where ClickHouse's errors become Failures. */
export function asClickHouseFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof ClickHouseError) return fromServer(error)
  const message = error instanceof Error ? error.message : String(error)
  if (isConnectionError(error))
    return new Failure(`ClickHouse does not answer: ${message}`, {
      code: 'clickhouse_unreachable',
      retryable: true,
      cause: error,
    })
  return new Failure(`ClickHouse: ${message}`, { code: 'clickhouse_client', retryable: false, cause: error })
}

function fromServer(error: ClickHouseError): Failure {
  const said = `ClickHouse: ${error.message.trim()} (code ${error.code})`
  return new Failure(Number(error.code) === unknownDatabase ? `${said}; ${missingInstallation}` : said, {
    code: `clickhouse_${(error.type ?? error.code).toLowerCase()}`,
    retryable: retryableCodes.has(Number(error.code)),
    cause: error,
  })
}

/** A request that no answer came back to; whether the server worked on it is not known. */
export function timeoutFailure(timeoutMs: number): Failure {
  return new Failure(`ClickHouse does not answer within ${timeoutMs} ms`, {
    code: 'clickhouse_timeout',
    retryable: true,
  })
}

/**
 * What is no answer of the server is the network's or a proxy's: refused, reset, ended too early, for which the client
 * has no codes of its own. A TypeError or the like is our own fault.
 */
function isConnectionError(error: unknown): boolean {
  const isOurs = [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind)
  return error instanceof Error && !isOurs
}
