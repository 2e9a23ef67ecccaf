import { isRecord } from '@tidemark/infra/process/record.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BatchOutcome } from '../events/batch-outcome.ts'
import { requestProblem } from '../request-problem.ts'
import {
  countRejected,
  type IntakeOptions,
  judgeEvents,
  judgeUnknownEvents,
  publishEvents,
} from './events-intake.ts'

/** `POST /v1/events`: the answer comes after Kafka's acknowledgement, and says of each event what became of it. */
export function addEventsRoute(scope: FastifyInstance, options: IntakeOptions): void {
  scope.post('/v1/events', async (request, reply) => {
    const allResults = asksForAll(request)
    const judged = await judgeUnknownEvents({ request, reply, allResults }, options)
    await publishEvents(judged, options)
    const { principal, outcome } = judged
    options.onKeyUsed(principal.keyId)
    countRejected(outcome, options.metrics)
    return answer(reply, outcome)
  })
}

/** `POST /v1/events/validate`: the same checks, and nothing is published. */
export function addValidationRoute(scope: FastifyInstance, options: IntakeOptions): void {
  scope.post('/v1/events/validate', async (request, reply) => {
    const allResults = asksForAll(request)
    const { principal, outcome } = await judgeEvents({ request, reply, allResults }, options)
    options.onKeyUsed(principal.keyId)
    const { messages, rejected, results } = outcome
    return {
      valid: messages.length,
      rejected,
      results: results.map((result) =>
        result.status === 'accepted' ? { ...result, status: 'valid' } : result,
      ),
    }
  })
}

/** @throws HttpProblem 400 */
function asksForAll({ query }: FastifyRequest): boolean {
  const asked = isRecord(query) ? query.results : undefined
  if (asked === undefined || asked === 'all') return asked === 'all'
  throw requestProblem(400, 'query_invalid', 'results may be "all".')
}

/** What is a duplicate here is in the log; most others are found by the log's reader and are accepted here. */
function answer(
  reply: FastifyReply,
  { messages, duplicates, rejected, results }: BatchOutcome,
): FastifyReply {
  const summary = { accepted: messages.length, duplicates, rejected, results }
  if (messages.length + duplicates > 0 || rejected === 0) return reply.code(202).send(summary)
  throw requestProblem(422, 'all_events_invalid', '', { extensions: { ...summary, errors: results } })
}
