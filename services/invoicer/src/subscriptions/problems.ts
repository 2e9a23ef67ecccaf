import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { FieldFault } from './offers.ts'
import type { Refusal } from './refusal.ts'
import type { Subscription } from './subscription.ts'

export const unknownSubscription = (key: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'subscription_unknown',
    detail: `There is no subscription "${key}"; GET /v1/subscriptions lists those that exist.`,
  })

/** What the request itself gets wrong. */
export function invalidFields(faults: readonly FieldFault[]): HttpProblem {
  const named = faults.map(({ field, reason }) => `${field}: ${reason}`).join('; ')
  return new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `Nothing is done: ${named}.`,
    extensions: { errors: faults },
  })
}

/** A conflict with what the subscription is: 409; a field that could never be right: 422. */
export function refused({ code, field, reason }: Refusal): HttpProblem {
  if (code === 'invalid_change') return invalidFields([{ field: field ?? 'effective', reason }])
  return new HttpProblem({
    status: 409,
    code,
    detail: `Nothing is done: ${reason}.`,
    ...(field === undefined ? {} : { extensions: { errors: [{ field, reason }] } }),
  })
}

/** @throws HttpProblem 409 when the client has read another revision: two writers at once, one wins */
export function checkRevision({ key, revision }: Subscription, expected: bigint | undefined): void {
  if (expected === undefined || expected === revision) return
  throw new HttpProblem({
    status: 409,
    code: 'revision_conflict',
    detail: `Nothing is changed: subscription "${key}" is at revision ${revision} by now, not ${expected}. Read it again, and decide anew.`,
    extensions: { revision: String(revision) },
  })
}

export const keyTaken = (key: string): HttpProblem =>
  new HttpProblem({
    status: 409,
    code: 'subscription_exists',
    detail: `There is a subscription "${key}" already; GET it, change it, or give the new one another key.`,
  })
