import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { Histogram } from 'prom-client'
import { answerConnectionError } from './connection-problem.ts'
import type { Health } from './health.ts'
import { addJsonParser } from './json-text.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { asProblem, HttpProblem, problemDocument } from './problem.ts'
import { compileRequestSchema } from './request-schema.ts'

export type HttpServerOptions = {
  log: Log
  metrics: Metrics
  health: Health
  bodyLimitBytes: number
  /** How long a client may take to send a request; slow ones would otherwise hold sockets for ever. */
  requestTimeoutMs?: number
  /** How long a connection may stay idle; longer than the usual load balancer's minute, or it would reset. */
  keepAliveTimeoutMs?: number
}

/**
 * A Fastify server with what all services share: request ids, problem documents, `/metrics`, `/livez`, `/readyz`
 * and the duration of every request by route. Routes and their schemas are the service's own.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.log
  const requestTimeout = options.requestTimeoutMs ?? 30_000
  const server = Fastify({
    loggerInstance,
    // One line per batch or invoice is logged by who makes it; a line per request would drown it.
    logController: new LogController({ disableRequestLogging: true }),
    // A logger made for each request costs a few percent of ingest's time; the rare line names the request itself.
    childLoggerFactory: (log) => log,
    bodyLimit: options.bodyLimitBytes,
    // Keys of customers and subscriptions stand in paths: 256 characters, each up to nine once it is percent-encoded.
    routerOptions: { maxParamLength: 2400 },
    requestTimeout,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 72_000,
    genReqId: requestId,
    // For a URL that cannot be decoded; no hook runs for it.
    frameworkErrors: sendProblem,
    clientErrorHandler: answerConnectionError,
    // Node looks for late requests every 30 s otherwise, and takes the longer of the two times for whole requests.
    http: { headersTimeout: requestTimeout, connectionsCheckingInterval: 1_000 },
    // A stop must not wait for clients that keep idle connections open.
    forceCloseConnections: 'idle',
  })
  // Whoever sends plain text has forgotten the Content-Type of JSON.
  server.removeContentTypeParser('text/plain')
  addJsonParser(server)
  server.setValidatorCompiler(compileRequestSchema)
  addProblems(server)
  addDurations(server, options.metrics)
  addProbes(server, options)
  endConnections(server)
  return server
}

/** Closing ends idle connections only: one whose request is under way would hold the stop for its keep-alive time. */
function endConnections(server: FastifyInstance): void {
  let closing = false
  server.addHook('preClose', async () => {
    closing = true
  })
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close')
    done()
  })
}

/** A caller's own id is kept so that one request can be followed through both logs; a strange one is replaced. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID()
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error)
  if (problem.status === 500) request.log.error({ err: error, reqId: request.id }, 'A request failed')
  else if (problem.status > 500)
    request.log.warn({ err: error, reqId: request.id }, 'A request could not be served now')
  return reply
    .code(problem.status)
    .headers({ 'x-request-id': request.id, ...problem.headers })
    .type('application/problem+json')
    .send(problemDocument(problem))
}

function addProblems(server: FastifyInstance): void {
  server.setErrorHandler(sendProblem)
  server.setNotFoundHandler((request) => {
    throw new HttpProblem({
      status: 404,
      code: 'not_found',
      detail: `There is no ${request.method} ${request.url.split('?')[0]}.`,
    })
  })
  // Hooks of every request take a callback: a promise for each is a tenth of what an empty request costs.
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    if (!request.url.includes('%00')) return done()
    const detail = 'The address holds %00, a character that no store keeps; leave it out.'
    done(new HttpProblem({ status: 400, code: 'text_not_storable', detail }))
  })
}

function addDurations(server: FastifyInstance, metrics: Metrics): void {
  const durations = new Histogram({
    name: 'tidemark_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  })
  server.addHook('onResponse', (request, reply, done) => {
    // The route's pattern, never the path: ids in labels would grow without end.
    const route = request.routeOptions.url ?? 'none'
    durations.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    done()
  })
}

function addProbes(server: FastifyInstance, { metrics, health }: HttpServerOptions): void {
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  )
  server.get('/livez', async () => ({ status: 'alive' }))
  server.get('/readyz', async (_request, reply) => {
    const report = await health()
    return reply.code(report.status === 'ready' ? 200 : 503).send(report)
  })
}
