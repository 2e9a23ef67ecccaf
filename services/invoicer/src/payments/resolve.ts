import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure, type Failure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { PaymentProcessor } from '@tidemark/infra/stripe/processor.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { minorUnits } from '@tidemark/schemas/money.ts'
import { type Delays, retryDelayMs } from '../delays.ts'
import type { Attempt } from './attempt.ts'
import { type NextStep, nextStep } from './attempt-states.ts'
import { postponeAttempt, type TakenAttempt } from './attempt-store.ts'
import type { PaymentMetrics } from './metrics.ts'
import { meaningOf, needsPerson } from './refusals.ts'
import { settle } from './settle.ts'
import { checkCaptured, type Word } from './settlement.ts'

export type ResolveDeps = {
  pool: Pool
  processor: PaymentProcessor
  clock: Clock
  log: Log
  metrics: PaymentMetrics
  retryDelays: Delays
  /** How long an attempt that waits for cardholder or bank goes without a question. */
  askEveryMs: number
}

/**
 * Brings an attempt that this process has taken one step further: what was never sent is sent; what may have been sent
 * is asked about, and sent again under the same key only if the processor does not know it. The outcome is stored, or
 * the attempt is given back for later. Throws only for the database: then the attempt's lease runs out.
 */
export async function resolveAttempt(deps: ResolveDeps, { attempt, was }: TakenAttempt): Promise<void> {
  let word: Word | undefined
  try {
    word = await hear(deps.processor, attempt, nextStep[was])
    if (word) checkCaptured(attempt, word)
  } catch (error) {
    return handle(deps, attempt, asFailure(error), nextStep[was] !== 'send')
  }
  if (word) return store(deps, attempt, word)
  deps.log.error(
    { attempt: attempt.id, invoice: attempt.invoiceId, intent: attempt.processorIntentId },
    'The processor no longer knows a payment that it was working on: look for it there',
  )
  await postpone(deps, attempt, false)
}

/** @returns undefined when the processor knows nothing of an attempt that must not be sent again */
async function hear(
  processor: PaymentProcessor,
  attempt: Attempt,
  step: NextStep,
): Promise<Word | undefined> {
  if (step !== 'send') {
    const known = await processor.findByAttempt({
      attemptId: attempt.id,
      customerId: attempt.processorCustomerId,
      createdAfter: (parseInstant(attempt.createdAt) ?? 0) / 1_000,
    })
    if (known || step !== 'ask_then_send') return known
  }
  return processor.chargeOffSession({
    attemptId: attempt.id,
    customerId: attempt.processorCustomerId,
    paymentMethodId: attempt.paymentMethodId,
    amountMinor: minorUnits(attempt.amountMicros, attempt.currency),
    currency: attempt.currency,
    metadata: { tidemark_tenant: attempt.tenant, tidemark_invoice: attempt.invoiceId },
  })
}

async function store(deps: ResolveDeps, attempt: Attempt, word: Word): Promise<void> {
  const { pool, clock, log, metrics, askEveryMs } = deps
  const at = clock.nowMicros()
  const askAgainAt = at + askEveryMs * 1_000
  const settled = await settle(pool, { attemptId: attempt.id, word, actor: 'collector', askAgainAt }, at)
  const fields = {
    attempt: attempt.id,
    invoice: attempt.invoiceId,
    outcome: word.status,
    code: word.declineCode,
  }
  if (settled.result === 'captured_in_vain')
    log.error(fields, 'Money was captured that no invoice awaits: refund it or settle the invoice by hand')
  else if (settled.result === 'stored') log.info(fields, 'A payment attempt has an outcome')
  if (settled.result === 'stored') metrics.outcomes.inc({ outcome: word.status })
  // Asked about and still waiting: the lease becomes the next question's time.
  if (settled.result === 'late')
    await postponeAttempt(pool, { attempt, until: askAgainAt, unknown: false }, at)
}

async function handle(
  deps: ResolveDeps,
  attempt: Attempt,
  failure: Failure,
  wasSentBefore: boolean,
): Promise<void> {
  const meaning = meaningOf(failure, wasSentBefore)
  const fields = { err: failure, attempt: attempt.id, invoice: attempt.invoiceId, tries: attempt.tries }
  deps.metrics.failures.inc({ code: failure.code })
  if (needsPerson(failure, meaning)) deps.log.error(fields, 'A payment attempt needs a person')
  else if (meaning !== 'failed') deps.log.warn(fields, 'A payment attempt is tried again later')
  if (meaning !== 'failed') return postpone(deps, attempt, meaning === 'unknown')
  const { code } = failure
  await store(deps, attempt, {
    status: 'failed',
    capturedMinor: 0n,
    currency: attempt.currency,
    declineCode: code,
  })
}

function postpone(
  { pool, clock, retryDelays }: ResolveDeps,
  attempt: Attempt,
  unknown: boolean,
): Promise<void> {
  const at = clock.nowMicros()
  const until = at + retryDelayMs(attempt.tries, retryDelays) * 1_000
  return postponeAttempt(pool, { attempt, until, unknown }, at)
}
