import type { Principals } from '@tidemark/infra/access/principals.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type CloseResult, type ClosingDeps, closePeriods } from '../closing/close.ts'
import { CloseStopped } from '../closing/stop.ts'
import { latestClosed } from '../invoices/list-store.ts'
import { showInvoice } from '../invoices/show.ts'
import type { Draft, Refusal } from '../invoicing/compose.ts'

export const closeBody = Type.Object(
  {
    until: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Closes what has ended by this instant, grace included; now by default',
      }),
    ),
    graceSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31 * 86_400 })),
    dryRun: Type.Optional(Type.Boolean({ description: 'Computes everything and stores nothing' })),
  },
  { additionalProperties: false },
)

export type ClosingKnobs = { graceMs: number; gateWaitMs: number; batchSize: number }

/** How many invoices and drafts an answer shows; the counts are whole. */
const shown = 1000

/** `POST /v1/periods/close`: closes what has ended and is complete; again, it answers the same invoices. */
export function addClosingRoutes(
  server: FastifyInstance,
  deps: ClosingDeps,
  knobs: ClosingKnobs,
  principals: Principals,
): void {
  server.post<{ Body: Static<typeof closeBody> }>(
    '/v1/periods/close',
    { onRequest: principals.require('admin'), schema: { body: closeBody } },
    async (request) => {
      const { tenant, keyId } = principals.of(request)
      const { graceSeconds, dryRun = false } = request.body
      const until = untilOf(request.body.until, deps.clock.nowMicros())
      const graceMs = graceSeconds === undefined ? knobs.graceMs : graceSeconds * 1000
      const result = await closePeriods(deps, {
        ...knobs,
        tenant,
        actor: keyId,
        until,
        graceMs,
        dryRun,
      }).catch((error: unknown) => {
        throw error instanceof CloseStopped ? stoppedProblem(error) : error
      })
      if (result.waiting) throw notComplete(result)
      const closed = await latestClosed(deps.pool, tenant, until, shown)
      const isNew = new Set(result.invoices.map(({ id }) => id))
      return {
        dryRun,
        closed: result.invoices.length,
        alreadyClosed: closed.filter(({ id }) => !isNew.has(id)).length,
        invoices: closed.map(showInvoice),
        drafts: result.drafts.slice(0, shown).map(showDraft),
        refused: result.refused.map(showRefusal),
      }
    },
  )
}

function untilOf(text: string | undefined, now: Micros1970): Micros1970 {
  if (text === undefined) return now
  const until = parseInstant(text)
  if (until !== undefined) return until
  const reason = `"${text}" is no instant such as 2026-12-01T00:00:00Z`
  throw new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `until: ${reason}.`,
    extensions: { errors: [{ field: 'until', reason }] },
  })
}

function notComplete({ waiting, invoices }: CloseResult): HttpProblem {
  return new HttpProblem({
    status: 503,
    code: 'not_complete',
    detail: `${waiting?.periods} periods wait for their usage to be complete: ${waiting?.behind}. Close again in a moment; nothing of them is stored.`,
    extensions: { closed: invoices.length, waiting },
    headers: { 'retry-after': '5' },
  })
}

const stoppedProblem = (stop: CloseStopped): HttpProblem =>
  new HttpProblem({
    status: 409,
    code: stop.code,
    detail: stop.message,
    extensions: { evidence: stop.evidence },
  })

const showDraft = ({ due, lines, invoice }: Draft) => {
  const { currency, customer, key } = due.subscription
  return {
    customer,
    subscription: key,
    period: formatPeriod(due.period),
    currency,
    total: formatMicros(invoice.totalMicros, currency),
    lines: lines.map(({ price, amountMicros }) => ({ price, amount: formatMicros(amountMicros, currency) })),
  }
}

const showRefusal = ({ due, code, reason }: Refusal) => ({
  subscription: due.subscription.key,
  period: formatPeriod(due.period),
  code,
  reason,
})
