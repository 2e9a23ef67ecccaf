import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { type Delays, retryDelayMs } from '../delays.ts'
import { settle } from '../payments/settle.ts'
import { markProcessed, postponeEvent, type StoredEvent, takeDueEvent } from './event-store.ts'
import { readKeptWord } from './payment-word.ts'

export type ProcessingDeps = {
  pool: Pool
  clock: Clock
  log: Log
  retryDelays: Delays
  /** As for a collector: when a payment that stays open is asked about. */
  askEveryMs: number
}

/** Longer than the transaction that an event needs may take. */
const leaseMs = 60_000

/**
 * Processes every due event, or the one with `id`: each moves its attempt and invoice forward along the tables of
 * states, or changes nothing. An event that cannot be processed now waits and holds up no other.
 * @returns how many were tried
 */
export async function processEvents(deps: ProcessingDeps, id?: string): Promise<number> {
  for (let tried = 0; ; tried += 1) {
    const at = deps.clock.nowMicros()
    const leaseUntil = at + leaseMs * 1_000
    const event = await takeDueEvent(deps.pool, { at, leaseUntil, ...(id === undefined ? {} : { id }) })
    if (!event) return tried
    try {
      const note = await processEvent(deps, event)
      await markProcessed(deps.pool, { id: event.id, note }, deps.clock.nowMicros())
    } catch (error) {
      await postpone(deps, event, error)
    }
  }
}

/** @returns why it changed nothing, if so */
async function processEvent(deps: ProcessingDeps, event: StoredEvent): Promise<string | undefined> {
  const { pool, clock, log, askEveryMs } = deps
  const read = readKeptWord(event.payload)
  if (!read) return 'It tells no outcome of an attempt.'
  const at = clock.nowMicros()
  const askAgainAt = at + askEveryMs * 1_000
  const settled = await settle(pool, { ...read, actor: 'webhook', askAgainAt }, at)
  const { attemptId, word } = read
  const fields = { event: event.id, attempt: attemptId, outcome: word.status, intent: word.intentId }
  switch (settled.result) {
    case 'stored':
      log.info({ ...fields, invoice: settled.attempt.invoiceId }, 'A webhook has settled a payment attempt')
      return undefined
    case 'late':
      return `The attempt is ${settled.attempt.state}: nothing to change.`
    case 'unheard_of':
      return `There is no attempt ${attemptId}.`
    case 'captured_in_vain':
      log.error(fields, 'Money was captured that no invoice awaits: refund it or settle the invoice by hand')
      return 'Money was captured that no invoice awaits.'
  }
}

async function postpone(
  { pool, clock, log, retryDelays }: ProcessingDeps,
  event: StoredEvent,
  error: unknown,
) {
  const failure = asFailure(error)
  const level = failure.retryable || failure.code === 'commit_unknown' ? 'warn' : 'error'
  log[level]({ err: failure, event: event.id, tries: event.tries }, 'A webhook could not be processed yet')
  const until = clock.nowMicros() + retryDelayMs(event.tries, retryDelays) * 1_000
  await postponeEvent(pool, { id: event.id, until })
}
