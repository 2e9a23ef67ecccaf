import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { ApiError, invalidRequest } from './api-error.ts'
import { authenticate } from './authentication.ts'
import { apiVersion } from './call.ts'
import { registerControl } from './control.ts'
import { createExecutor, type Outcome } from './execution.ts'
import type { Faults } from './faults.ts'
import { decodeForm } from './form.ts'
import { type Route, routes } from './routes.ts'
import type { StateStore } from './state.ts'
import { newId } from './stripe-objects.ts'
import type { Webhooks } from './webhooks.ts'

export type AppParts = {
  store: StateStore
  faults: Faults
  webhooks: Webhooks
  /** Signs for endpoints that bring no secret of their own. */
  webhookSecret: string
  log: Logger
}

const bodyLimitBytes = 1024 * 1024

/** The HTTP edge: forms in, Stripe's JSON and headers out. */
export function createApp(parts: AppParts): FastifyInstance {
  const app = Fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: true })
  const executor = createExecutor(parts)

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, body)
    },
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'request-id': newId('req'), 'stripe-version': apiVersion })
  })
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, parts.log))
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?')[0]
    throw new ApiError(
      404,
      {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${request.method}: ${path}). The simulator knows only: ${routes.map(({ method, path }) => `${method} ${path}`).join(', ')}.`,
      },
      { executed: false },
    )
  })

  app.get('/health', async () => ({ status: 'ok' }))
  registerControl(app, parts)
  for (const route of routes) {
    app.route<{ Params: { id?: string } }>({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const outcome = await executor.run(callOf(request, reply, route, parts.store))
        return send(request, reply, outcome)
      },
    })
  }
  return app
}

type RouteRequest = FastifyRequest<{ Params: { id?: string } }>

function callOf(request: RouteRequest, reply: FastifyReply, route: Route, store: StateStore) {
  const account = store.account(authenticate(request.headers.authorization))
  const [path = '', query = ''] = request.url.split('?')
  const key = request.headers['idempotency-key']
  return {
    method: route.method,
    path,
    operation: route.operation,
    call: {
      account,
      params: decodeForm(route.method === 'GET' ? query : formText(request.body)),
      id: request.params.id ?? '',
      now: Math.floor(store.nowMs() / 1_000),
      requestId: String(reply.getHeader('request-id')),
      idempotencyKey: typeof key === 'string' && key !== '' ? key : null,
    },
  }
}

function formText(body: unknown): string {
  if (body === undefined || body === null) return ''
  if (typeof body === 'string') return body
  throw invalidRequest('Invalid body: send it as application/x-www-form-urlencoded, not as JSON.')
}

function send(request: RouteRequest, reply: FastifyReply, outcome: Outcome) {
  if (outcome.kind === 'reset') {
    reply.hijack()
    request.raw.socket.resetAndDestroy()
    return reply
  }
  const key = request.headers['idempotency-key']
  if (typeof key === 'string') reply.header('idempotency-key', key)
  if (outcome.replayOf !== undefined) {
    reply.headers({ 'idempotent-replayed': 'true', 'original-request': outcome.replayOf })
  }
  return reply.status(outcome.status).send(outcome.body)
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger) {
  if (error instanceof ApiError) return reply.status(error.status).send({ error: error.body })
  const status = statusOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (status >= 500) log.error({ err: error, url: request.url }, 'the simulator failed')
  const type = status >= 500 ? 'api_error' : 'invalid_request_error'
  return reply.status(status).send({ error: { type, message } })
}

/** What Fastify itself refuses (a body too large, a content type) carries its own status. */
function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' ? error.statusCode : 500
}
