/**
 * An error whose handling is data: adapters that know a provider's codes decide once whether trying again can
 * help, and everything above only reads `retryable`. `code` is stable and fit for logs, metrics and tests.
 */
export class Failure extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(message: string, options: { code: string; retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = options.code
    this.retryable = options.retryable
  }
}

/** What nobody classified is never retried: repeating an unknown fault hides it. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Failure(message, { code: 'unexpected', retryable: false, cause: error })
}
