import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BatchOutcome } from '../events/batch-outcome.ts'
import { requestProblem } from '../request-problem.ts'
import { countRejected, type IntakeOptions, judgeUnknownEvents, publishEvents } from './events-intake.ts'

/**
 * `POST /api/v1/events` answers as OpenMeter's API does, so that its SDKs work by another base URL: 204, or 400 for the
 * whole batch, because those clients read nothing of single events. Its 204 comes after Kafka's acknowledgement too.
 */
export function addOpenMeterRoute(scope: FastifyInstance, options: IntakeOptions): void {
  scope.post('/api/v1/events', { onSend: dropCharset }, async (request, reply) => {
    const judged = await judgeUnknownEvents({ request, reply, allResults: false }, options)
    const { principal, outcome } = judged
    options.onKeyUsed(principal.keyId)
    countRejected(outcome, options.metrics)
    refuseInvalid(outcome)
    await publishEvents(judged, options)
    return reply.code(204).send()
  })
}

const problemType = 'application/problem+json'

/** Its npm client reads a problem only where the media type is nothing but this, without Fastify's charset. */
const dropCharset = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
  if (String(reply.getHeader('content-type')).startsWith(problemType))
    reply.header('content-type', problemType)
}

/** The first fault is in the text, since the SDKs show no more than that. @throws HttpProblem 400 */
function refuseInvalid({ rejected, results }: BatchOutcome): void {
  const first = results.find((result) => result.status === 'rejected')
  if (first === undefined) return
  const place = `The first of ${rejected} at fault is at index ${first.index}`
  const detail = `${place}, in ${first.field === '' ? 'the event' : first.field}: ${first.message}`
  throw requestProblem(400, 'event_invalid', detail, { extensions: { rejected, errors: results } })
}
