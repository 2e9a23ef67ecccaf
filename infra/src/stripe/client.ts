import Stripe from 'stripe'
import { classify } from './classification.ts'
import { createOneAttemptClient } from './one-attempt-client.ts'

export type StripeClientOptions = {
  secretKey: string
  /** A server that speaks Stripe's API, like the simulator; empty means Stripe itself. */
  apiUrl: string
  timeoutMs: number
}

/** The official client: one call is one request. */
export const createStripeClient = ({ secretKey, apiUrl, timeoutMs }: StripeClientOptions): Stripe =>
  new Stripe(secretKey, {
    ...addressOf(apiUrl),
    httpClient: createOneAttemptClient(),
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
  })

/** Whatever a call throws as a Failure that says whether trying again can help. */
export async function calling<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw classify(error, what)
  }
}

function addressOf(apiUrl: string) {
  if (apiUrl === '') return {}
  const url = new URL(apiUrl)
  const protocol: 'http' | 'https' = url.protocol === 'http:' ? 'http' : 'https'
  return { host: url.hostname, port: url.port === '' ? (protocol === 'http' ? 80 : 443) : url.port, protocol }
}
