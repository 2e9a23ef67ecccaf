import { randomUUID } from 'node:crypto'
import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { recordChanges } from '../history.ts'
import { type Attempt, type AttemptRow, attemptColumns, attemptOf } from './attempt.ts'

type Due = {
  invoiceId: string
  tenant: string
  amountMicros: bigint
  currency: string
  processorCustomerId: string
  paymentMethodId: string
}

const dueColumns = `i.id AS "invoiceId", i.tenant, i.total_micros AS "amountMicros", i.currency,
  c.processor_customer_id AS "processorCustomerId", c.payment_method_id AS "paymentMethodId"`

/**
 * Stores an attempt for each of up to `limit` open invoices that have an amount, a customer who can be charged and no
 * attempt that may still capture. The lock keeps two invoicers from taking one invoice; what slips between lock and
 * look is refused by the index payment_attempts_one_alive.
 * @returns how many attempts were stored
 */
export function claimDueInvoices(pool: Pool, limit: number, at: Micros1970): Promise<number> {
  return transaction(pool, async (queryable) => {
    const { rows } = await queryable.query<Due>(
      `SELECT ${dueColumns}
       FROM billing.invoices i JOIN billing.customers c ON c.tenant = i.tenant AND c.key = i.customer
       WHERE i.state = 'open' AND i.total_micros > 0
         AND c.processor_customer_id IS NOT NULL AND c.payment_method_id IS NOT NULL
         AND NOT EXISTS (
           SELECT FROM billing.payment_attempts a
           WHERE a.invoice_id = i.id AND a.state NOT IN ('failed', 'canceled')
         )
       ORDER BY i.opened_at LIMIT $1
       FOR UPDATE OF i SKIP LOCKED`,
      [limit],
    )
    const attempts = await storeAttempts(
      queryable,
      rows.map((due) => ({ id: randomUUID(), ...due })),
      'collector',
      at,
    )
    return attempts.length
  })
}

/** An attempt before it is stored; state `intent`, nothing is sent yet. */
export type NewAttempt = Due & { id: string }

/** @returns those that were stored: an invoice with an attempt that may still capture gets no second one */
export async function storeAttempts(
  queryable: Queryable,
  attempts: readonly NewAttempt[],
  actor: string,
  at: Micros1970,
): Promise<Attempt[]> {
  if (attempts.length === 0) return []
  const given = attempts.map((attempt) => ({ ...attempt, amountMicros: attempt.amountMicros.toString() }))
  const { rows } = await queryable.query<AttemptRow>(
    `INSERT INTO billing.payment_attempts AS a (id, tenant, invoice_id, state, amount_micros, currency,
       processor_customer_id, payment_method_id, created_at, updated_at, next_try_at)
     SELECT id, tenant, "invoiceId", 'intent', "amountMicros", currency, "processorCustomerId", "paymentMethodId",
       $2, $2, $2
     FROM json_to_recordset($1) AS given (id uuid, tenant text, "invoiceId" uuid, "amountMicros" bigint,
       currency char(3), "processorCustomerId" text, "paymentMethodId" text)
     ON CONFLICT DO NOTHING
     RETURNING ${attemptColumns}`,
    [JSON.stringify(given), formatInstant(at)],
  )
  const changes = rows.map(({ id, tenant, invoiceId }) => ({
    tenant,
    actor,
    action: 'payment.intent',
    entity: 'payment_attempt',
    entityKey: id,
    after: { state: 'intent', invoice: invoiceId },
  }))
  await recordChanges(queryable, changes, at)
  return rows.map(attemptOf)
}

/** What an invoice would be charged with; null where the customer cannot be charged. */
export type ChargeBasis = Omit<Due, 'processorCustomerId' | 'paymentMethodId'> & {
  processorCustomerId: string | null
  paymentMethodId: string | null
}

export async function readChargeBasis(
  queryable: Queryable,
  invoiceId: string,
): Promise<ChargeBasis | undefined> {
  const { rows } = await queryable.query<ChargeBasis>(
    `SELECT ${dueColumns}
     FROM billing.invoices i JOIN billing.customers c ON c.tenant = i.tenant AND c.key = i.customer
     WHERE i.id = $1`,
    [invoiceId],
  )
  return rows[0]
}
