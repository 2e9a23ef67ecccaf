import type { Authenticator, Principal } from '@tidemark/infra/access/authenticator.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type BatchOutcome, decideBatch } from '../events/batch-outcome.ts'
import type { EventRules } from '../events/event-rules.ts'
import type { EncodeEvent } from '../events/usage-record.ts'
import type { IngestMetrics } from '../ingest-metrics.ts'
import { readEvents, readForm, requestProblem } from './events-request.ts'

export type EventsRouteOptions = {
  authenticator: Authenticator
  clock: Clock
  metrics: IngestMetrics
  rules: EventRules
  limits: { bodyBytes: number; batchEvents: number }
  encode: EncodeEvent
  /** Resolves when every in-sync replica has them. */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  onKeyUsed(keyId: string): void
}

const retryAfter = { headers: { 'retry-after': '2' } }

/** `POST /v1/events`: the answer comes after Kafka's acknowledgement, and says of each event what became of it. */
export function addEventsRoute(server: FastifyInstance, options: EventsRouteOptions): void {
  const { limits } = options
  server.register(async (scope) => {
    // Bodies stay bytes: whether a number survives can only be told from its text.
    scope.removeAllContentTypeParsers()
    const asBytes = { parseAs: 'buffer', bodyLimit: limits.bodyBytes } as const
    scope.addContentTypeParser('*', asBytes, (_request, body, done) => done(null, body))
    scope.setErrorHandler((error) => {
      if (isRecord(error) && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
        throw requestProblem(413, 'body_too_large', `At most ${limits.bodyBytes} bytes.`)
      throw error
    })
    scope.decorateRequest('principal')
    scope.post('/v1/events', {
      // Before the body is read: whoever has no key does not get to send megabytes.
      async onRequest(request) {
        const principal = await options.authenticator.authenticate(request.headers.authorization, 'ingest')
        request.setDecorator('principal', principal)
        readForm(request)
      },
      handler: (request, reply) => takeEvents(request, reply, options),
    })
  })
}

async function takeEvents(request: FastifyRequest, reply: FastifyReply, options: EventsRouteOptions) {
  const { keyId, tenant, tenantNumber } = request.getDecorator<Principal>('principal')
  const allResults = asksForAll(request)
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  options.metrics.received('http', body.length)
  const events = readEvents(request, readForm(request), body)
  if (events.length > options.limits.batchEvents) {
    const found = `Found ${events.length} of at most ${options.limits.batchEvents}.`
    throw requestProblem(413, 'too_many_events', found)
  }
  const origin = { tenant, tenantNumber, acceptedAt: options.clock.nowMicros() }
  const outcome = decideBatch(events, origin, { rules: options.rules, encode: options.encode, allResults })
  await publish(outcome.messages, options)
  options.onKeyUsed(keyId)
  for (const result of outcome.results)
    if (result.status === 'rejected') options.metrics.rejected('http', result.code)
  return answer(reply, outcome)
}

/** @throws HttpProblem 400 */
function asksForAll({ query }: FastifyRequest): boolean {
  const asked = isRecord(query) ? query.results : undefined
  if (asked === undefined || asked === 'all') return asked === 'all'
  throw requestProblem(400, 'query_invalid', 'results may be "all".')
}

/** @throws HttpProblem 503 when Kafka has not acknowledged all of them: then nothing is said to be accepted. */
async function publish(messages: readonly OutboundMessage[], options: EventsRouteOptions): Promise<void> {
  if (messages.length === 0) return
  const published = options.metrics.publishing('http')
  try {
    await options.publish(messages)
    options.metrics.accepted('http', messages.length)
  } catch (error) {
    if (!(error instanceof Failure && error.retryable)) throw error
    if (error.code === 'overloaded') throw requestProblem(503, 'overloaded', '', retryAfter)
    if (error.code === 'closed') throw requestProblem(503, 'stopping', '', retryAfter)
    throw requestProblem(503, 'kafka_unavailable', '', retryAfter)
  } finally {
    published()
  }
}

/** Duplicates are found by the log's reader; a door that remembers what it took in can name some of them here. */
function answer(reply: FastifyReply, { messages, rejected, results }: BatchOutcome): FastifyReply {
  const summary = { accepted: messages.length, duplicates: 0, rejected, results }
  if (messages.length > 0 || rejected === 0) return reply.code(202).send(summary)
  throw requestProblem(422, 'all_events_invalid', '', { extensions: { ...summary, errors: results } })
}
