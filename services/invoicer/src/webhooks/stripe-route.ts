import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { PaymentProcessor } from '@tidemark/infra/stripe/processor.ts'
import type { ProcessorEvent } from '@tidemark/infra/stripe/webhook.ts'
import type { FastifyInstance } from 'fastify'
import { storeEvent } from './event-store.ts'
import { keptWord } from './payment-word.ts'
import { type ProcessingDeps, processEvents } from './processing.ts'

export type WebhookRouteDeps = ProcessingDeps & { processor: PaymentProcessor }

/**
 * `POST /v1/webhooks/stripe`, without an API key: the signature over the raw body says who sends. What is not genuine is
 * refused and stored nowhere; the rest is stored before the 200, so nothing is lost if processing it fails.
 */
export function addStripeWebhookRoute(server: FastifyInstance, deps: WebhookRouteDeps): void {
  // A scope of its own: elsewhere bodies are parsed, here the signature is over the bytes as they came.
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: unknown }>('/v1/webhooks/stripe', async (request) => {
      const event = verified(deps, request.body, request.headers['stripe-signature'])
      const { id, type } = event
      await storeEvent(deps.pool, { id, type, payload: keptWord(event) }, deps.clock.nowMicros())
      // Stored is what the sender must know; what goes wrong from here on is tried again by the loop.
      await processEvents(deps, id).catch((error: unknown) => {
        deps.log.warn({ err: asFailure(error), event: id }, 'A webhook is left to the next round')
      })
      return { received: true }
    })
  })
}

function verified(
  { processor, clock }: WebhookRouteDeps,
  body: unknown,
  signature: string | string[] | undefined,
): ProcessorEvent {
  const rawBody = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  try {
    return processor.verifyWebhook(
      rawBody,
      typeof signature === 'string' ? signature : undefined,
      clock.now(),
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new HttpProblem({ status: 400, code: error.code, detail: error.message })
  }
}
