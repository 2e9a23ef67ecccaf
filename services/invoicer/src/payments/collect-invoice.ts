import { createHash } from 'node:crypto'
import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Invoice, readInvoice } from '../invoices/invoice.ts'
import { statesBefore } from '../invoices/states.ts'
import { readAliveAttempt, readAttempt } from './attempt-store.ts'
import { readChargeBasis, storeAttempts } from './claim.ts'

export type CollectRequest = {
  tenant: string
  invoiceId: string
  /** Id of the API key. */
  actor: string
  /** The client's Idempotency-Key: the same one never makes a second attempt, whatever became of the first. */
  idempotencyKey: string
}

/**
 * Stores an attempt for an invoice by hand, also for one that is past due; where an attempt may still capture, it is
 * that one. The lock on the invoice makes two callers meet one attempt.
 * @returns the attempt's id
 * @throws HttpProblem 404, or 409 where there is nothing to collect or nobody to charge
 */
export function attemptToCollect(pool: Pool, request: CollectRequest, at: Micros1970): Promise<string> {
  const { tenant, invoiceId, actor } = request
  return transaction(pool, async (queryable) => {
    const lock = 'SELECT FROM billing.invoices WHERE id = $1 AND tenant = $2 FOR UPDATE'
    await queryable.query(lock, [invoiceId, tenant])
    const invoice = await readInvoice(queryable, tenant, invoiceId)
    if (!invoice) throw unknownInvoice(invoiceId)
    const id = attemptIdOf(request)
    const existing = (await readAttempt(queryable, id)) ?? (await readAliveAttempt(queryable, invoiceId))
    if (existing) return existing.id
    checkCollectible(invoice)
    await storeAttempts(queryable, [{ id, ...(await basisOf(queryable, invoice)) }], actor, at)
    return id
  })
}

/** The same invoice and key give the same attempt: a version 8 UUID made of their hash. */
export function attemptIdOf({ tenant, invoiceId, idempotencyKey }: CollectRequest): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([tenant, invoiceId, idempotencyKey]))
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function checkCollectible({ number, state, totalMicros }: Invoice): void {
  const collectible = statesBefore('paid')
  if (!collectible.includes(state))
    throw conflict(
      'invoice_not_collectible',
      `Invoice ${number} is ${state}; only one that is ${collectible.join(', ')} can be collected.`,
    )
  if (totalMicros === 0n)
    throw conflict('invoice_without_amount', `Invoice ${number} comes to 0: there is nothing to collect.`)
}

async function basisOf(queryable: Queryable, { id, number, customer }: Invoice) {
  const basis = await readChargeBasis(queryable, id)
  const { processorCustomerId, paymentMethodId } = basis ?? {}
  if (basis && processorCustomerId && paymentMethodId)
    return { ...basis, processorCustomerId, paymentMethodId }
  throw conflict(
    'payment_method_missing',
    `Invoice ${number} cannot be charged: give customer "${customer}" processorCustomerId and paymentMethodId in the catalogue first.`,
  )
}

export const unknownInvoice = (id: string): HttpProblem =>
  new HttpProblem({ status: 404, code: 'invoice_unknown', detail: `There is no invoice ${id}.` })

const conflict = (code: string, detail: string): HttpProblem => new HttpProblem({ status: 409, code, detail })
