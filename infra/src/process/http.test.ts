import type { FastifyInstance } from 'fastify'
import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from './failure.ts'
import { createHealth, type HealthOptions } from './health.ts'
import { createHttpServer } from './http.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { HttpProblem } from './problem.ts'

const servers: FastifyInstance[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

function createServer(health: HealthOptions = { checks: {} }) {
  const logged: string[] = []
  const log = createLog({
    service: 'trial',
    level: 'info',
    pretty: false,
    destination: { write: (line) => void logged.push(line) },
  })
  const server = createHttpServer({
    log,
    metrics: createMetrics('trial'),
    health: createHealth(health),
    bodyLimitBytes: 100,
  })
  const schema = {
    body: {
      type: 'object',
      required: ['amount'],
      properties: { amount: { type: 'integer' }, kind: { enum: ['a', 'b'] } },
    },
  }
  server.post('/things', { schema }, async () => ({ stored: true }))
  const querystring = {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, default: 5 }, dryRun: { type: 'boolean' } },
  }
  server.get('/things', { schema: { querystring } }, async (request) => request.query)
  server.get('/lost', async () => {
    throw new Failure('Kafka at 10.0.0.7 does not answer', { code: 'kafka_unreachable', retryable: true })
  })
  server.get('/broken', async () => {
    throw new Error('password=hush')
  })
  server.get('/busy', async () => {
    throw new HttpProblem({
      status: 429,
      code: 'too_many_requests',
      detail: 'Wait a second.',
      extensions: { limit: 5 },
      headers: { 'retry-after': '1' },
    })
  })
  servers.push(server)
  return { server, logged }
}

test('a body that breaks its schema is 422 and every field is named with its reason', async () => {
  const { server } = createServer()
  const answer = await server.inject({ method: 'POST', url: '/things', payload: { amount: 'x', kind: 'c' } })
  expect(answer.statusCode).toBe(422)
  expect(answer.headers['content-type']).toContain('application/problem+json')
  expect(answer.json()).toMatchObject({
    type: 'urn:tidemark:problem:invalid_request',
    title: 'Unprocessable Entity',
    status: 422,
    code: 'invalid_request',
    errors: [
      { field: 'amount', reason: 'must be integer' },
      { field: 'kind', reason: 'must be one of a, b' },
    ],
  })
})

test.each([
  ['not JSON', { payload: '{"amount":', headers: { 'content-type': 'application/json' } }, 400, 'not_json'],
  ['an empty body', { payload: '', headers: { 'content-type': 'application/json' } }, 400, 'not_json'],
  ['a body too large', { payload: { amount: 1, fill: 'x'.repeat(200) } }, 413, 'body_too_large'],
  [
    'another type',
    { payload: 'a=1', headers: { 'content-type': 'text/csv' } },
    415,
    'unsupported_media_type',
  ],
])('%s is refused with a code', async (_name, request, status, code) => {
  const { server } = createServer()
  const answer = await server.inject({ method: 'POST', url: '/things', ...request })
  expect(answer.json()).toMatchObject({ status, code })
  expect(answer.statusCode).toBe(status)
})

test.each([null, '5', true, [5], 1.5])('a body is taken as it is: %j is no integer', async (amount) => {
  const { server } = createServer()
  const answer = await server.inject({ method: 'POST', url: '/things', payload: { amount } })
  expect(answer.json()).toMatchObject({ status: 422, errors: [{ field: 'amount' }] })
})

test('a number beyond all numbers is no integer', async () => {
  const { server } = createServer()
  const request = { payload: '{"amount":1e309}', headers: { 'content-type': 'application/json' } }
  expect((await server.inject({ method: 'POST', url: '/things', ...request })).statusCode).toBe(422)
  expect((await server.inject({ url: '/things?limit=1e309' })).statusCode).toBe(400)
})

test('a query is text, of which numbers and booleans are read and nothing else is made', async () => {
  const { server } = createServer()
  expect((await server.inject({ url: '/things?dryRun=true' })).json()).toEqual({ limit: 5, dryRun: true })
  expect((await server.inject({ url: '/things?limit=7' })).json()).toEqual({ limit: 7 })
  for (const query of ['limit=', 'limit=1.5', 'limit=0x10', 'limit=1&limit=2', 'limit=0', 'dryRun=yes'])
    expect((await server.inject({ url: `/things?${query}` })).json()).toMatchObject({
      status: 400,
      code: 'invalid_request',
    })
})

test.each([
  ['U+0000', '{"amount":"a\\u0000b"}', 'text_not_storable'],
  ['half of a surrogate pair', '{"amount":"\\ud800"}', 'text_not_storable'],
  ['other bytes than UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not_utf8'],
  ['__proto__', '{"__proto__":{"amount":1}}', 'not_json'],
])('a body with %s is refused', async (_name, payload, code) => {
  const { server } = createServer()
  const headers = { 'content-type': 'application/json' }
  const answer = await server.inject({ method: 'POST', url: '/things', payload, headers })
  expect(answer.json()).toMatchObject({ status: 400, code })
})

test('U+0000 in an address is refused before anything looks at it', async () => {
  const { server } = createServer()
  expect((await server.inject({ url: '/things?cursor=a%00' })).json()).toMatchObject({
    status: 400,
    code: 'text_not_storable',
  })
})

test('an unknown path is 404 and named', async () => {
  const { server } = createServer()
  const answer = await server.inject({ url: '/nowhere?key=hush' })
  expect(answer.json()).toMatchObject({ status: 404, code: 'not_found', detail: 'There is no GET /nowhere.' })
})

test('a URL that cannot be decoded is 400', async () => {
  const { server } = createServer()
  const answer = await server.inject({ url: '/%zz', headers: { 'x-request-id': 'abc-2' } })
  expect(answer.json()).toMatchObject({ status: 400, code: 'bad_request' })
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'x-request-id': 'abc-2',
  })
})

test('a retryable failure is 503 with Retry-After and without the inside', async () => {
  const { server, logged } = createServer()
  const answer = await server.inject({ url: '/lost' })
  expect(answer.json()).toMatchObject({ status: 503, code: 'unavailable' })
  expect(answer.headers['retry-after']).toBe('2')
  expect(answer.body).not.toContain('10.0.0.7')
  expect(logged.join()).toContain('kafka_unreachable')
})

test('anything else is 500, tells nothing, and is logged as an error under the request id', async () => {
  const { server, logged } = createServer()
  const answer = await server.inject({ url: '/broken', headers: { 'x-request-id': 'abc-1' } })
  expect(answer.json()).toMatchObject({ status: 500, code: 'internal' })
  expect(answer.body).not.toContain('hush')
  expect(answer.headers['x-request-id']).toBe('abc-1')
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 'error', reqId: 'abc-1' })
})

test('a problem carries its own members and headers', async () => {
  const { server } = createServer()
  const answer = await server.inject({ url: '/busy' })
  expect(answer.json()).toMatchObject({ status: 429, code: 'too_many_requests', limit: 5 })
  expect(answer.headers['retry-after']).toBe('1')
})

test('ready names each check; a server that fails, hangs or a standstill makes it 503', async () => {
  const { server } = createServer({
    checks: {
      good: async () => 'PONG',
      refused: () => Promise.reject(new Error('connection refused')),
      hanging: () => new Promise(() => {}),
    },
    progress: () => 'no batch for 60 s',
    checkTimeoutMs: 20,
  })
  const answer = await server.inject({ url: '/readyz' })
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toMatchObject({
    status: 'not_ready',
    checks: {
      good: { ok: true },
      refused: { ok: false, reason: 'connection refused' },
      hanging: { ok: false, reason: 'No answer within 20 ms' },
      progress: { ok: false, reason: 'no batch for 60 s' },
    },
  })
  expect((await server.inject({ url: '/livez' })).statusCode).toBe(200)
})

test('ready is 200 when all is well', async () => {
  const { server } = createServer({ checks: { good: async () => 1 }, progress: () => undefined })
  const answer = await server.inject({ url: '/readyz' })
  expect(answer.statusCode).toBe(200)
  expect(answer.json().checks.progress.ok).toBe(true)
})

test('metrics hold the duration by route pattern', async () => {
  const { server } = createServer()
  await server.inject({ method: 'POST', url: '/things', payload: { amount: 1 } })
  const { body } = await server.inject({ url: '/metrics' })
  expect(body).toContain(
    'tidemark_http_request_duration_seconds_count{service="trial",method="POST",route="/things",status="200"} 1',
  )
  expect(body).toContain('process_cpu_seconds_total')
})

test('a stop waits for the request under way, but not for its connection to be idle long enough', async () => {
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const { server } = createServer({
    checks: {
      slow: () => {
        asked.resolve()
        return answered.promise
      },
    },
  })
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const answer = fetch(`${address}/readyz`)
  await asked.promise
  const closed = server.close()
  await vi.waitFor(() => expect(server.server.listening).toBe(false), { interval: 1 })
  answered.resolve()
  expect((await answer).status).toBe(200)
  await closed
})
