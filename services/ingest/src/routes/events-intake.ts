import type { IncomingMessage } from 'node:http'
import type { Authenticator, Principal } from '@tidemark/infra/access/authenticator.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type BodyLimits, readBody } from '../body/body-reader.ts'
import type { ByteBudget, Hold } from '../body/byte-budget.ts'
import type { ContentCoding } from '../body/content-coding.ts'
import type { DataChecks } from '../event-schemas/component.ts'
import { type BatchOutcome, decideBatch } from '../events/batch-outcome.ts'
import { decideInTurns } from '../events/decide-in-turns.ts'
import type { EventRules } from '../events/event-rules.ts'
import type { EncodeEvent } from '../events/usage-record.ts'
import type { IngestMetrics } from '../ingest-metrics.ts'
import type { Limits } from '../limits/limits.ts'
import type { Memory } from '../memory/memory.ts'
import { withRecollections } from '../memory/recalled-outcome.ts'
import { requestProblem, unavailableProblem } from '../request-problem.ts'
import { type RequestForm, readCoding, readEvents, readForm } from './events-request.ts'

export type IntakeOptions = {
  authenticator: Authenticator
  clock: Clock
  metrics: IngestMetrics
  rules: EventRules
  limits: BodyLimits & { batchEvents: number }
  budget: ByteBudget
  rateLimits: Limits
  encode: EncodeEvent
  dataChecks: DataChecks
  memory: Memory
  /** Resolves when every in-sync replica has them. */
  publish(messages: readonly OutboundMessage[]): Promise<void>
  onKeyUsed(keyId: string): void
}

/** What is known of a request before its body. */
type Intake = { principal: Principal; form: RequestForm; coding: ContentCoding; hold: Hold }

type Call = { request: FastifyRequest; reply: FastifyReply; allResults: boolean }
type Judged = { principal: Principal; outcome: BatchOutcome }

/** Routes whose body holds events: who calls is known before the body is read, and what it is held in is bounded. */
export function addEventsIntake(
  server: FastifyInstance,
  options: IntakeOptions,
  addRoutes: (scope: FastifyInstance) => void,
): void {
  const { authenticator, rateLimits, budget, limits } = options
  server.register(async (scope) => {
    // Bodies stay bytes: whether a number survives can only be told from its text.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (request, payload: IncomingMessage, done) => {
      const { coding, hold } = request.getDecorator<Intake>('intake')
      readBody(payload, { coding, hold, limits }, done)
    })
    scope.decorateRequest('intake')
    // Before the body is read: whoever has no key does not get to send megabytes.
    scope.addHook('onRequest', async (request, reply) => {
      const principal = await authenticator.authenticate(
        request.headers.authorization,
        'ingest',
        request.raw.socket,
      )
      rateLimits.refuseExhausted(principal)
      const form = readForm(request)
      const coding = readCoding(request)
      const hold = budget.open(principal.tenant)
      // Whether answered or broken off; a client that has gone already takes nothing.
      if (reply.raw.closed) hold.release()
      else reply.raw.once('close', hold.release)
      request.setDecorator('intake', { principal, form, coding, hold } satisfies Intake)
    })
    addRoutes(scope)
  })
}

/** Decides the events of a request within the limits of its caller. @throws HttpProblem 400, 413 or 429 */
export async function judgeEvents(
  { request, reply, allResults }: Call,
  options: IntakeOptions,
): Promise<Judged> {
  const { principal, form } = request.getDecorator<Intake>('intake')
  const { limits, rateLimits, rules, encode, dataChecks } = options
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  options.metrics.received('http', body.length)
  // What was read counts whatever it holds: garbage must not be a way around the limit.
  const bytesAdmission = rateLimits.admit(principal, { events: 0, bytes: body.length })
  if (bytesAdmission) await bytesAdmission
  const events = readEvents(request, form, body)
  // What waits for Kafka is counted by its own; the request need not hold the bytes as well.
  request.body = undefined
  if (events.length > limits.batchEvents)
    throw requestProblem(413, 'too_many_events', `Found ${events.length} of at most ${limits.batchEvents}.`)
  const admission = rateLimits.admit(principal, { events: events.length, bytes: 0 })
  if (admission) await admission
  const rateHeaders = rateLimits.headers(principal)
  if (rateHeaders) reply.headers(rateHeaders)
  const unread = dataChecks.unread()
  if (unread) await unread
  const { tenant, tenantNumber } = principal
  const origin = { tenant, tenantNumber, acceptedAt: options.clock.nowMicros() }
  const checkData = dataChecks.of(tenant)
  const context = { rules, encode, checkData, allResults }
  const outcome = checkData
    ? await decideInTurns(events, origin, context)
    : decideBatch(events, origin, context)
  return { principal, outcome }
}

/**
 * As judgeEvents; what its tenant's memory knows to be in the log already is a duplicate then, and is not published.
 * @throws HttpProblem 400, 413 or 429
 */
export function judgeUnknownEvents(call: Call, options: IntakeOptions): Promise<Judged> {
  const { tenantNumber } = call.request.getDecorator<Intake>('intake').principal
  return options.memory.isOn(tenantNumber) ? judgeAndRecall(call, options) : judgeEvents(call, options)
}

async function judgeAndRecall(call: Call, options: IntakeOptions): Promise<Judged> {
  const { principal, outcome } = await judgeEvents({ ...call, allResults: true }, options)
  const recollections = await options.memory.recall(outcome.messages)
  return { principal, outcome: withRecollections(outcome, recollections, call.allResults) }
}

/** @throws HttpProblem 503 when Kafka has not acknowledged all of them: then nothing is said to be accepted. */
export async function publishEvents(
  { principal, outcome: { messages } }: Judged,
  options: IntakeOptions,
): Promise<void> {
  if (messages.length === 0) return
  const published = options.metrics.publishing('http')
  try {
    await options.publish(messages)
    options.metrics.accepted('http', messages.length)
    // Never before the acknowledgement: what is remembered is answered `duplicate` without being published.
    if (options.memory.isOn(principal.tenantNumber)) options.memory.remember(messages)
  } catch (error) {
    // What Kafka refuses us (an ACL, a password) is ours to mend; the caller keeps the events and sends them again.
    if (!(error instanceof Failure && (error.retryable || error.code === 'kafka_refused'))) throw error
    if (error.code === 'overloaded') throw unavailableProblem('overloaded')
    if (error.code === 'closed') throw unavailableProblem('stopping')
    throw unavailableProblem('kafka_unavailable')
  } finally {
    published()
  }
}

export function countRejected({ results }: BatchOutcome, metrics: IngestMetrics): void {
  for (const result of results) if (result.status === 'rejected') metrics.rejected('http', result.code)
}
