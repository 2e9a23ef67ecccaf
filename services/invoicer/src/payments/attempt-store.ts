import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Change, recordChanges } from '../history.ts'
import { type Attempt, type AttemptRow, attemptColumns, attemptOf } from './attempt.ts'
import { type AttemptState, attemptStatesBefore, isFinal } from './attempt-states.ts'

/** An attempt that is ours until its lease ends; `was` is its state before it was taken. */
export type TakenAttempt = { attempt: Attempt; was: AttemptState }

/**
 * Takes the attempt that has waited longest, or the one with `id`, if it is due: its next try moves to `leaseUntil`, so
 * that another invoicer takes it only if this one dies. What was never sent becomes `confirming` in the same statement,
 * committed before anything is sent: after a crash it is known that a request may have gone out.
 */
export async function takeDueAttempt(
  queryable: Queryable,
  { at, leaseUntil, id }: { at: Micros1970; leaseUntil: Micros1970; id?: string },
): Promise<TakenAttempt | undefined> {
  const { rows } = await queryable.query<AttemptRow & { was: AttemptState }>(
    `UPDATE billing.payment_attempts a
     SET state = CASE WHEN a.state = ANY($4) THEN 'confirming' ELSE a.state END,
       tries = a.tries + 1, next_try_at = $2, updated_at = $1
     FROM (
       SELECT id, state FROM billing.payment_attempts
       WHERE next_try_at <= $1 AND ($3::uuid IS NULL OR id = $3)
       ORDER BY next_try_at LIMIT 1
       FOR UPDATE SKIP LOCKED
     ) AS due
     WHERE a.id = due.id
     RETURNING ${attemptColumns}, due.state AS was`,
    [formatInstant(at), formatInstant(leaseUntil), id ?? null, attemptStatesBefore('confirming')],
  )
  const row = rows[0]
  if (!row) return undefined
  const { was, ...attempt } = row
  return { attempt: attemptOf(attempt), was }
}

/** Gives an attempt back for a later try; `unknown` also notes that a request got no decisive answer. */
export function postponeAttempt(
  pool: Pool,
  { attempt, until, unknown }: { attempt: Attempt; until: Micros1970; unknown: boolean },
  at: Micros1970,
): Promise<void> {
  return transaction(pool, async (queryable) => {
    await queryable.query(
      'UPDATE billing.payment_attempts SET next_try_at = $2 WHERE id = $1 AND next_try_at IS NOT NULL',
      [attempt.id, formatInstant(until)],
    )
    if (unknown) await moveAttempt(queryable, { attempt, to: 'unknown', nextTryAt: until }, at)
  })
}

export type AttemptMove = {
  attempt: Attempt
  to: AttemptState
  actor?: string
  processorIntentId?: string
  declineCode?: string
  event?: NonNullable<Change['event']>
  /** When it is looked at again, unless the state is final. */
  nextTryAt: Micros1970
}

/**
 * Moves an attempt along the table of states, with its line in the audit log, inside the caller's transaction.
 * @returns false when the attempt's state does not lead there: somebody else was first
 */
export async function moveAttempt(
  queryable: Queryable,
  { attempt, to, actor = 'collector', processorIntentId, declineCode, event, nextTryAt }: AttemptMove,
  at: Micros1970,
): Promise<boolean> {
  const { rows } = await queryable.query<{ before: AttemptState }>(
    `UPDATE billing.payment_attempts SET state = $2, updated_at = $3, next_try_at = $4,
       processor_intent_id = coalesce($5, processor_intent_id), decline_code = $6
     WHERE id = $1 AND state = ANY($7)
     RETURNING old.state AS before`,
    [
      attempt.id,
      to,
      formatInstant(at),
      isFinal(to) ? null : formatInstant(nextTryAt),
      processorIntentId ?? null,
      declineCode ?? null,
      attemptStatesBefore(to),
    ],
  )
  const before = rows[0]?.before
  if (before === undefined) return false
  const change = {
    tenant: attempt.tenant,
    actor,
    action: `payment.${to}`,
    entity: 'payment_attempt',
    entityKey: attempt.id,
    before: { state: before },
    after: { state: to, ...(declineCode === undefined ? {} : { declineCode }) },
    ...(event === undefined ? {} : { event }),
  }
  await recordChanges(queryable, [change], at)
  return true
}

export async function readAttempt(queryable: Queryable, id: string): Promise<Attempt | undefined> {
  const { rows } = await queryable.query<AttemptRow>(
    `SELECT ${attemptColumns} FROM billing.payment_attempts a WHERE a.id = $1`,
    [id],
  )
  return rows[0] && attemptOf(rows[0])
}

/** The attempt of an invoice that may still capture, or has captured. */
export async function readAliveAttempt(
  queryable: Queryable,
  invoiceId: string,
): Promise<Attempt | undefined> {
  const { rows } = await queryable.query<AttemptRow>(
    `SELECT ${attemptColumns} FROM billing.payment_attempts a
     WHERE a.invoice_id = $1 AND a.state NOT IN ('failed', 'canceled')`,
    [invoiceId],
  )
  return rows[0] && attemptOf(rows[0])
}
