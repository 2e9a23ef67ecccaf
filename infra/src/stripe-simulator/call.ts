import type { Account, Change } from './accounts.ts'
import type { FormTree } from './form.ts'
import { type EventType, newId, type StripeEvent } from './stripe-objects.ts'

/** One authenticated request, as an operation sees it. */
export type Call = {
  account: Account
  params: FormTree
  /** The id in the path, or empty. */
  id: string
  /** Seconds on the simulator's clock. */
  now: number
  requestId: string
  idempotencyKey: string | null
}

/** What an operation decides: the answer, and the changes that go to the journal together with it. */
export type Answer = { status: number; body: unknown; changes: Change[] }

/** Operations are synchronous, so no two of them ever interleave. */
export type Operation = (call: Call) => Answer

export function ok(body: unknown, changes: Change[] = []): Answer {
  return { status: 200, body, changes }
}

export const apiVersion = '2026-10-28.endive'

export function eventChange(call: Call, type: EventType, object: StripeEvent['data']['object']): Change {
  return {
    kind: 'event',
    targets: [],
    value: {
      id: newId('evt'),
      object: 'event',
      api_version: apiVersion,
      created: call.now,
      livemode: false,
      pending_webhooks: 0,
      type,
      data: { object },
      request: { id: call.requestId, idempotency_key: call.idempotencyKey },
    },
  }
}
