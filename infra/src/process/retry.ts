import pRetry from 'p-retry'
import { asFailure, Failure } from './failure.ts'

export type RetryOptions = {
  /** Calls altogether, the first included. */
  attempts: number
  /** Wait before the second call; it doubles from there, times a random factor between 1 and 2. */
  minDelayMs: number
  maxDelayMs: number
  /** Ends the waiting; the promise then rejects with the signal's reason. */
  signal?: AbortSignal
  onRetry?: (failure: Failure, attempt: number, delayMs: number) => void
}

/**
 * Calls `fn` until it succeeds, its failure cannot be mended by trying again, or the attempts are used up; then
 * rejects with the last Failure. Only a Failure that its adapter marked retryable is retried.
 */
export function retry<T>(fn: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const call = async (attempt: number) => {
    try {
      return await fn(attempt)
    } catch (error) {
      throw asFailure(error)
    }
  }
  return pRetry(call, {
    retries: options.attempts - 1,
    minTimeout: options.minDelayMs,
    maxTimeout: options.maxDelayMs,
    randomize: true,
    signal: options.signal,
    shouldRetry: ({ error, attemptNumber, retryDelay }) => {
      if (!(error instanceof Failure && error.retryable)) return false
      options.onRetry?.(error, attemptNumber, retryDelay)
      return true
    },
  })
}
