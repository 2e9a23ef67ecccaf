import { Failure } from '../process/failure.ts'
import { timeoutFailure } from './failures.ts'

/**
 * Runs a request under a deadline and the caller's own signal. The client reports both as the same nameless error, so
 * which of them ended it is read from the signals.
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const request = new AbortController()
  const ended = Promise.withResolvers<never>()
  const end = (failure: Failure) => {
    ended.reject(failure)
    request.abort(failure)
  }
  const onAbort = () => end(abortFailure(signal?.reason))
  const timer = setTimeout(() => end(timeoutFailure(timeoutMs)), timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal?.aborted === true) throw abortFailure(signal.reason)
    return await Promise.race([ended.promise, run(request.signal)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function abortFailure(reason: unknown): Failure {
  return new Failure('The caller ended the request', { code: 'aborted', retryable: false, cause: reason })
}
