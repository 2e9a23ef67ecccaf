import { createHash } from 'node:crypto'
import type { Account, KeptAnswer } from './accounts.ts'
import { invalidRequest, keyInUse, keyWithOtherParameters } from './api-error.ts'
import type { FormTree } from './form.ts'

/**
 * Idempotency keys as https://docs.stripe.com/api/idempotent_requests has them: the first request that begins to
 * execute fixes the answer, 500s included; the same key with other parameters is an error; a key in flight is a
 * conflict; after 24 hours a key is new again. Validation failures, 401, 409 and 429 are never kept.
 */
export const keyLifeMs = 24 * 60 * 60 * 1_000
const maxKeyLength = 255

export function fingerprintOf(method: string, path: string, params: FormTree): string {
  return createHash('sha256')
    .update(JSON.stringify([method, path, sorted(params)]))
    .digest('hex')
}

/** Gives the kept answer, or nothing if the request is to be executed; throws what a misuse deserves. */
export function findAnswer(
  account: Account,
  request: { key: string; fingerprint: string; nowMs: number; inFlight: boolean },
): KeptAnswer | undefined {
  if (request.key.length > maxKeyLength) {
    throw invalidRequest(`Idempotency keys can be up to ${maxKeyLength} characters long.`)
  }
  if (request.inFlight) throw keyInUse(request.key)
  const kept = account.answers.get(request.key)
  if (kept === undefined) return undefined
  if (request.nowMs - kept.atMs >= keyLifeMs) {
    account.answers.delete(request.key)
    return undefined
  }
  if (kept.fingerprint !== request.fingerprint) throw keyWithOtherParameters(request.key)
  return kept
}

/** The order in which parameters are sent does not make another request. */
function sorted(params: FormTree): unknown[] {
  return Object.entries(params)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, typeof value === 'string' ? value : sorted(value)])
}
