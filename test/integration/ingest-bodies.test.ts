import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  startIngest,
} from './ingest-room.ts'

const limitBytes = 1_000_000
let installation: Installation
let ingest: RunningIngest
let acme: TestTenant

beforeAll(async () => {
  installation = await createInstallation('bodies')
  acme = await installation.createTenant('acme')
  const limits = { INGEST_BODY_LIMIT_BYTES: String(limitBytes), INGEST_BODY_TIMEOUT_MS: '400' }
  ingest = await startIngest(installation.env, limits)
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

const post = (body: Buffer | string, encoding: string) =>
  postEvents(ingest.url, body, { key: acme.key, headers: { 'content-encoding': encoding } })

async function logged(ids: readonly unknown[]) {
  const kafka = openKafka(installation.env)
  const events = await readUsageEvents(kafka, installation.prefix)
  await kafka.disconnect()
  return events.filter(({ id }) => ids.includes(id))
}

test.each([
  ['gzip', gzipSync],
  ['GZIP', gzipSync],
  ['x-gzip', gzipSync],
  ['zstd', zstdCompressSync],
  ['identity', (text: string) => text],
])('a body in %s is read', async (encoding, compress) => {
  const events = Array.from({ length: 1_000 }, () => sampleEvent())
  const answer = await post(compress(JSON.stringify(events)), encoding)
  expect(answer).toMatchObject({ status: 202, body: { accepted: 1_000, rejected: 0 } })
  expect(await logged(events.map(({ id }) => id))).toHaveLength(1_000)
})

test.each([
  ['br', 'Found br.'],
  ['gzip, gzip', 'Found gzip, gzip.'],
  ['deflate', 'gzip or zstd'],
])('%s is not read', async (encoding, detail) => {
  const answer = await post('x', encoding)
  expect(answer).toMatchObject({
    status: 415,
    body: { code: 'encoding_unsupported', detail: expect.stringContaining(detail) },
  })
  expect(answer.headers.get('accept-encoding')).toBe('gzip, zstd')
})

const whole = JSON.stringify([sampleEvent()])

test.each([
  ['plain text', 'gzip', Buffer.from(whole)],
  ['plain text', 'zstd', Buffer.from(whole)],
  ['nothing', 'gzip', Buffer.alloc(0)],
  ['a cut body', 'gzip', gzipSync(whole).subarray(0, -9)],
  ['a cut body', 'zstd', zstdCompressSync(whole).subarray(0, -3)],
  ['a second frame', 'zstd', Buffer.concat([zstdCompressSync(whole), zstdCompressSync(whole)])],
  ['the other coding', 'gzip', zstdCompressSync(whole)],
])('%s as %s is told to be corrupt', async (_name, encoding, body) => {
  expect(await post(body, encoding)).toMatchObject({ status: 400, body: { code: 'encoding_corrupt' } })
})

/** Text that hardly compresses, so that the size is what is refused. */
const dense = (bytes: number): string =>
  Array.from({ length: bytes / 8 }, (_, at) =>
    ((at * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0'),
  ).join('')

test.each([
  ['a bomb', 'gzip', gzipSync(Buffer.alloc(5_000_000, 32)), 'compression_ratio', '100 bytes'],
  ['a bomb', 'zstd', zstdCompressSync(Buffer.alloc(100_000_000, 32)), 'compression_ratio', '100 bytes'],
  ['a large bomb', 'gzip', gzipSync(Buffer.alloc(100_000_000, 32)), 'body_too_large', `${limitBytes} bytes`],
  ['too much', 'gzip', gzipSync(dense(1_200_000)), 'body_too_large', `${limitBytes} bytes`],
  ['too much', 'zstd', zstdCompressSync(dense(1_200_000)), 'body_too_large', `${limitBytes} bytes`],
  ['too much', 'identity', Buffer.alloc(1_200_000, 32), 'body_too_large', `${limitBytes} bytes`],
  ['far too much', 'identity', Buffer.alloc(2_900_000, 32), 'body_too_large', `${limitBytes} bytes`],
])(
  '%s in %s is refused with the limit, and stopped on the way',
  async (_name, encoding, body, code, limit) => {
    const before = process.memoryUsage().rss
    expect(await post(body, encoding)).toMatchObject({
      status: 413,
      body: { code, detail: expect.stringContaining(limit) },
    })
    // Decompressing all of it would hold it.
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  },
)

test('a body that does not arrive in time is refused with the limit', async () => {
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const slow = request(`${ingest.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${acme.key}`,
        'content-type': 'application/json',
        'content-length': '1000',
      },
    })
    slow.on('error', reject).on('response', async (response) => {
      const body = Buffer.concat(await response.toArray()).toString()
      resolve({ status: response.statusCode, body })
    })
    slow.write('[')
  })
  expect(answer.status).toBe(408)
  expect(JSON.parse(answer.body)).toMatchObject({
    code: 'body_too_slow',
    detail: expect.stringContaining('400 ms'),
  })
})

test('a body that trickles in is refused at the same time, and its connection ended', async () => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(ingest.url).port) })
  const head = [
    'POST /v1/events HTTP/1.1',
    'host: x',
    `authorization: Bearer ${acme.key}`,
    'content-type: application/json',
    'content-length: 100000',
  ]
  const from = performance.now()
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const trickle = setInterval(() => socket.write(' '), 10)
  // The last bytes of a client that does not stop meet a closed socket.
  socket.on('error', () => {})
  const [first] = await once(socket, 'data')
  const answer = String(first)
  const elapsed = performance.now() - from
  await once(socket, 'close')
  clearInterval(trickle)
  expect(answer).toContain('HTTP/1.1 408 Request Timeout')
  expect(answer.toLowerCase()).toContain('\r\nconnection: close')
  expect(answer).toContain('"code":"body_too_slow"')
  expect(elapsed).toBeGreaterThanOrEqual(399)
  expect(elapsed).toBeLessThan(10_000)
})

test('a client that goes away gives back what its body was held in', async () => {
  const heldBytes = async () => {
    const text = await (await fetch(`${ingest.url}/metrics`)).text()
    return Number(/^tidemark_ingest_body_bytes(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1])
  }
  const leaving = request(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' },
  })
  leaving.on('error', () => {})
  leaving.write(Buffer.alloc(100_000, 32))
  await expect.poll(heldBytes, { timeout: 5_000, interval: 5 }).toBeGreaterThan(0)
  leaving.destroy()
  await expect.poll(heldBytes, { timeout: 5_000, interval: 5 }).toBe(0)
})

test('events are checked and not published', async () => {
  const [sound, faulty] = [sampleEvent(), sampleEvent({ subject: undefined })]
  const check = async (body: unknown, query = '') => {
    const response = await fetch(`${ingest.url}/v1/events/validate${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: await response.json() }
  }
  const fault = { index: 1, id: faulty.id, status: 'rejected', code: 'attribute_missing', field: 'subject' }
  expect(await check([sound, faulty])).toMatchObject({
    status: 200,
    body: { valid: 1, rejected: 1, results: [fault] },
  })
  expect(await check([sound, faulty], '?results=all')).toMatchObject({
    body: { results: [{ index: 0, id: sound.id, status: 'valid' }, fault] },
  })
  expect(await check(faulty)).toMatchObject({ status: 200, body: { valid: 0, rejected: 1 } })
  expect(await check(7)).toMatchObject({ status: 400, body: { code: 'body_shape' } })
  expect(await logged([sound.id, faulty.id])).toEqual([])
})
