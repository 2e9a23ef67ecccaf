import Stripe from 'stripe'

/** Codes after which the official client sends a request again by itself, whatever maxNetworkRetries says. */
const closedConnectionCodes: unknown[] = ['ECONNRESET', 'EPIPE']

/**
 * The client's own HTTP client, except that a POST over a closed connection is not silently sent again: no attempt
 * is repeated before the processor has been asked what became of it, and that is for the caller to do. Reading
 * again is harmless and stays.
 */
export function createOneAttemptClient(): Stripe.HttpClient {
  const inner = Stripe.createNodeHttpClient()
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (host, port, path, method, ...rest) => {
      try {
        return await inner.makeRequest(host, port, path, method, ...rest)
      } catch (error) {
        if (method !== 'POST' || !closedConnectionCodes.includes(codeOf(error))) throw error
        throw new Error(`The connection was closed before the answer to ${method} ${path} came.`, {
          cause: error,
        })
      }
    },
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
