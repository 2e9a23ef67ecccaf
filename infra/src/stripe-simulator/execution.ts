import { setTimeout as delay } from 'node:timers/promises'
import type { KeptAnswer } from './accounts.ts'
import { ApiError, rateLimited, serverError } from './api-error.ts'
import type { Answer, Call, Operation } from './call.ts'
import type { Fault, Faults } from './faults.ts'
import { findAnswer, fingerprintOf } from './idempotency.ts'
import type { StateStore } from './state.ts'
import type { Webhooks } from './webhooks.ts'

export type Request = {
  method: 'GET' | 'POST'
  path: string
  call: Call
  operation: Operation
}

export type Outcome =
  | { kind: 'answer'; status: number; body: unknown; replayOf?: string }
  /** The connection is to be torn down without an answer. */
  | { kind: 'reset' }

export type Executor = { run(request: Request): Promise<Outcome> }

/**
 * The way of every request: scripted 429 or reset, idempotency key, execution, one journal line with its changes
 * and its kept answer, webhooks, then whatever the script does to the answer. Between the look at the key and the
 * journal line only the fault `slow` waits, and then the key counts as in flight.
 */
export function createExecutor(parts: { store: StateStore; faults: Faults; webhooks: Webhooks }): Executor {
  const { store, faults, webhooks } = parts
  const inFlight = new Set<string>()

  async function run(request: Request): Promise<Outcome> {
    const { account, idempotencyKey: key, params } = request.call
    if (request.method === 'GET' || key === null) {
      const fault = takeFault(request, false)
      return faulty(fault, async () => execute(request, fault, null))
    }
    const fingerprint = fingerprintOf(request.method, request.path, params)
    const lock = `${account.id} ${key}`
    const nowMs = store.nowMs()
    const kept = findAnswer(account, { key, fingerprint, nowMs, inFlight: inFlight.has(lock) })
    const fault = takeFault(request, kept !== undefined)
    inFlight.add(lock)
    try {
      return await faulty(fault, async () =>
        kept === undefined ? execute(request, fault, { key, fingerprint }) : replay(kept),
      )
    } finally {
      inFlight.delete(lock)
    }
  }

  function takeFault(request: Request, isReplay: boolean): Fault | undefined {
    const { method, path, call } = request
    return faults.takeForRequest({ account: call.account.id, method, path, replay: isReplay })
  }

  /** Changes and answer go to the journal in one line before anybody hears of them. */
  function execute(
    request: Request,
    fault: Fault | undefined,
    keep: { key: string; fingerprint: string } | null,
  ): Outcome {
    const answer = decide(request)
    const told: Answer =
      fault?.fault === 'error_500_after' ? { ...answer, status: 500, body: { error: serverError } } : answer
    const { account, requestId } = request.call
    const kept: KeptAnswer | null =
      keep === null ? null : { ...keep, status: told.status, body: told.body, requestId, atMs: store.nowMs() }
    if (answer.changes.length > 0 || kept !== null) {
      const targets = webhooks.targets(account.id)
      const changes = answer.changes.map((change) =>
        change.kind === 'event' ? { ...change, targets } : change,
      )
      store.write({ line: 'call', account: account.id, changes, answer: kept })
      webhooks.deliver()
    }
    return { kind: 'answer', status: told.status, body: told.body }
  }

  return { run }
}

/** Errors that began to execute are answers to keep; the others leave no trace and are thrown. */
function decide(request: Request): Answer {
  try {
    return request.operation(request.call)
  } catch (error) {
    if (!(error instanceof ApiError) || !error.executed) throw error
    return { status: error.status, body: { error: error.body }, changes: [] }
  }
}

async function faulty(fault: Fault | undefined, act: () => Promise<Outcome>): Promise<Outcome> {
  if (fault?.fault === 'rate_limit') throw rateLimited()
  if (fault?.fault === 'reset_before') return { kind: 'reset' }
  if (fault?.fault === 'slow') await delay(fault.delayMs)
  const outcome = await act()
  if (fault?.fault === 'slow_after') await delay(fault.delayMs)
  return fault?.fault === 'reset_after' ? { kind: 'reset' } : outcome
}

function replay(kept: KeptAnswer): Outcome {
  return { kind: 'answer', status: kept.status, body: kept.body, replayOf: kept.requestId }
}
