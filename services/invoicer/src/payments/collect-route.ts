import { randomUUID } from 'node:crypto'
import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { readInvoice } from '../invoices/invoice.ts'
import type { Attempt } from './attempt.ts'
import { readAttempt } from './attempt-store.ts'
import { attemptToCollect, unknownInvoice } from './collect-invoice.ts'
import type { Collector } from './collector.ts'

export type CollectRouteDeps = { pool: Pool; clock: Clock; collector: Collector }

const collectParams = Type.Object({
  id: Type.String({
    pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    description: 'The id of an invoice, as GET /v1/invoices lists it',
  }),
})

/**
 * `POST /v1/invoices/{id}/collect` (scope admin) charges an open or past-due invoice now and says what became of it. An
 * attempt that is under way, or waits for the cardholder, is not doubled: its state is the answer.
 */
export function addCollectRoute(
  server: FastifyInstance,
  { pool, clock, collector }: CollectRouteDeps,
  principals: Principals,
): void {
  server.post<{ Params: Static<typeof collectParams> }>(
    '/v1/invoices/:id/collect',
    { onRequest: principals.require('admin'), schema: { params: collectParams } },
    async (request) => {
      const { tenant, keyId } = principals.of(request)
      const invoiceId = request.params.id
      const idempotencyKey = idempotencyKeyOf(request.headers['idempotency-key'])
      const wish = { tenant, invoiceId, actor: keyId, idempotencyKey }
      const attemptId = await attemptToCollect(pool, wish, clock.nowMicros())
      await collector.resolve(attemptId)
      const attempt = await readAttempt(pool, attemptId)
      const invoice = await readInvoice(pool, tenant, invoiceId)
      if (!attempt || !invoice) throw unknownInvoice(invoiceId)
      const { id, number, state } = invoice
      return { invoice: { id, number, state }, attempt: showAttempt(attempt) }
    },
  )
}

const showAttempt = (attempt: Attempt) => ({
  id: attempt.id,
  state: attempt.state,
  amount: formatMicros(attempt.amountMicros, attempt.currency),
  currency: attempt.currency,
  processorIntentId: attempt.processorIntentId,
  declineCode: attempt.declineCode,
})

/** Without a key every call is a wish of its own. */
function idempotencyKeyOf(header: string | string[] | undefined): string {
  if (header === undefined) return randomUUID()
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header
  throw new HttpProblem({
    status: 400,
    code: 'invalid_idempotency_key',
    detail: 'Idempotency-Key must be 1 to 255 printable ASCII characters without blanks, such as a UUID.',
  })
}
