import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { FastifyInstance } from 'fastify'
import { previewPricing } from '../pricing/preview/preview.ts'

/** Room for the most lines and events that one preview takes. */
const bodyLimit = 256 * 1024
/** As many faults as somebody reads; the others show when these are mended. */
const shownFaults = 100

/**
 * `POST /v1/pricing/preview`: the input of a golden vector, answered with its `expected` fields and a trace of each step.
 * Nothing is read and nothing is stored. The body is checked by its kind, and a price by its model, so that faults name
 * the field at fault rather than every form that it is not.
 */
export function addPricingRoutes(server: FastifyInstance, principals: Principals): void {
  server.post(
    '/v1/pricing/preview',
    { onRequest: principals.require('read'), bodyLimit },
    (request, reply) => {
      const previewed = previewPricing(request.body)
      if ('faults' in previewed) throw invalid(previewed.faults)
      return reply.send(previewed.answer)
    },
  )
}

function invalid(faults: readonly FieldError[]): HttpProblem {
  const errors = faults.slice(0, shownFaults)
  const named = errors.slice(0, 5).map(({ field, reason }) => `${field} ${reason}`)
  const more = faults.length > named.length ? `; and ${faults.length - named.length} more` : ''
  return new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `The body is not as expected: ${named.join('; ')}${more}.`,
    extensions: { errors },
  })
}
