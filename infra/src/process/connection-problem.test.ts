import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { createHealth } from './health.ts'
import { createHttpServer } from './http.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'

let server: FastifyInstance | undefined
afterEach(() => server?.close())

async function listen(requestTimeoutMs?: number): Promise<number> {
  server = createHttpServer({
    log: createLog({ service: 'test', level: 'silent', pretty: false }),
    metrics: createMetrics('test'),
    health: createHealth({ checks: {} }),
    bodyLimitBytes: 1_024,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  })
  server.get('/slow', () => new Promise(() => {}))
  server.post('/things', async () => ({}))
  const address = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  return Number(address.port)
}

/** Sends bytes, and gives back all that comes until the server ends the connection. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(bytes)
  return Buffer.concat(await socket.toArray()).toString()
}

function readProblem(answer: string): { statusLine: string | undefined; body: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toContain('\r\ncontent-type: application/problem+json')
  expect(head).toContain(`\r\ncontent-length: ${Buffer.byteLength(body)}`)
  expect(head).toContain('\r\nconnection: close')
  return { statusLine: head.split('\r\n')[0], body: JSON.parse(body) }
}

const tlsHello = Buffer.from('16030100a5010000a10303', 'hex')

test.each<[string, string | Buffer]>([
  ['a line that is no request', 'hello\r\n\r\n'],
  ['another protocol', tlsHello],
  ['a length that is none', 'POST /things HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
  [
    'two ways to tell the length',
    'POST /things HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
  ],
  [
    'a chunk without a size',
    'POST /things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  ],
])('%s is refused as a problem, and the connection ended', async (_name, bytes) => {
  const { statusLine, body } = readProblem(await exchange(await listen(), bytes))
  expect(statusLine).toBe('HTTP/1.1 400 Bad Request')
  expect(body).toEqual({
    type: 'urn:tidemark:problem:malformed_request',
    title: 'Bad Request',
    status: 400,
    code: 'malformed_request',
    detail: expect.stringContaining('This is not HTTP/1.1'),
  })
})

test('headers that are too large are told the limit', async () => {
  const answer = await exchange(
    await listen(),
    `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`,
  )
  expect(readProblem(answer)).toMatchObject({
    statusLine: 'HTTP/1.1 431 Request Header Fields Too Large',
    body: { status: 431, code: 'headers_too_large', detail: expect.stringContaining('16384 bytes') },
  })
})

test.each([
  ['its headers', 'GET /livez HTTP/1.1\r\nhost:'],
  [
    'its body',
    'POST /things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  ],
])('a request that does not finish %s is told so soon after its time', async (_name, bytes) => {
  const port = await listen(500)
  const from = performance.now()
  const { statusLine, body } = readProblem(await exchange(port, bytes))
  expect(statusLine).toBe('HTTP/1.1 408 Request Timeout')
  expect(body).toMatchObject({ code: 'request_too_slow' })
  // Node would look for it after 30 s only.
  expect(performance.now() - from).toBeLessThan(15_000)
})

test('nonsense behind a request that is served is not answered in its place', async () => {
  const answer = await exchange(await listen(), 'GET /slow HTTP/1.1\r\nhost: x\r\n\r\nhello\r\n\r\n').catch(
    ({ code }: { code: unknown }) => {
      expect(code).toBe('ECONNRESET')
      return ''
    },
  )
  expect(answer).toBe('')
})
