import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Change } from '../history.ts'
import { invoiceEvent } from '../invoices/event.ts'
import { type Invoice, readInvoice } from '../invoices/invoice.ts'
import { statesBefore } from '../invoices/states.ts'
import { changeInvoiceState } from '../invoices/transition.ts'
import type { Attempt } from './attempt.ts'
import { moveAttempt, readAttempt } from './attempt-store.ts'
import { checkCaptured, planSettlement, type Word } from './settlement.ts'

export type SettleRequest = {
  attemptId: string
  word: Word
  /** Who heard it: `collector` or `webhook`. */
  actor: string
  /** When an attempt that is still open is asked about again. */
  askAgainAt: Micros1970
}

/**
 * `late`: the attempt knew it, or has gone on since. `captured_in_vain`: money was captured that nothing awaits, because
 * the attempt had ended otherwise or its invoice is void; only a person can put that right. `unheard_of`: no attempt of
 * ours has that id.
 */
export type Settled =
  | { result: 'stored' | 'late' | 'captured_in_vain'; attempt: Attempt }
  | { result: 'unheard_of' }

/**
 * Stores what became of an attempt and moves its invoice, with audit log and outbox, in one transaction. Safe to repeat
 * and safe in any order. The invoice is locked before the attempt, as collecting by hand does, so that the two never
 * wait for each other in a circle.
 */
export function settle(pool: Pool, request: SettleRequest, at: Micros1970): Promise<Settled> {
  return transaction(pool, async (queryable): Promise<Settled> => {
    const locked = await lock(queryable, request.attemptId)
    if (!locked) return { result: 'unheard_of' }
    const { attempt, invoice } = locked
    checkCaptured(attempt, request.word)
    const plan = planSettlement(attempt.state, request.word.status)
    if (plan.kind === 'captured_after_end') return { result: 'captured_in_vain', attempt }
    if (plan.kind === 'ignore') return { result: 'late', attempt }

    const to = plan.invoice
    const leads = to !== undefined && statesBefore(to).includes(invoice.state)
    const event =
      plan.told && invoiceEvent(plan.told, leads ? { ...invoice, state: to } : invoice, at, attempt.id)
    // The payment's event goes before the invoice's: a reader meets the cause before the effect.
    const moved = await moveAttempt(queryable, { ...moveOf(request, attempt, event), to: plan.to }, at)
    if (!moved) return { result: 'late', attempt }
    const { tenant, invoiceId: id } = attempt
    if (leads) await changeInvoiceState(queryable, { tenant, id, to, actor: request.actor }, at)
    const inVain = to === 'paid' && !leads
    return { result: inVain ? 'captured_in_vain' : 'stored', attempt: { ...attempt, state: plan.to } }
  })
}

async function lock(
  queryable: Queryable,
  attemptId: string,
): Promise<{ attempt: Attempt; invoice: Invoice } | undefined> {
  const seen = await readAttempt(queryable, attemptId)
  if (!seen) return undefined
  const { tenant, invoiceId } = seen
  await queryable.query('SELECT FROM billing.invoices WHERE id = $1 AND tenant = $2 FOR UPDATE', [
    invoiceId,
    tenant,
  ])
  await queryable.query('SELECT FROM billing.payment_attempts WHERE id = $1 FOR UPDATE', [attemptId])
  const attempt = await readAttempt(queryable, attemptId)
  const invoice = await readInvoice(queryable, tenant, invoiceId)
  if (attempt && invoice) return { attempt, invoice }
  throw new Failure(`The invoice ${invoiceId} of payment attempt ${attemptId} is not there: restore it.`, {
    code: 'invoice_missing',
    retryable: false,
  })
}

const moveOf = ({ word, actor, askAgainAt }: SettleRequest, attempt: Attempt, event: Change['event']) => ({
  attempt,
  actor,
  nextTryAt: askAgainAt,
  ...(event === undefined ? {} : { event }),
  ...(word.intentId === undefined ? {} : { processorIntentId: word.intentId }),
  ...(word.declineCode === undefined ? {} : { declineCode: word.declineCode }),
})
