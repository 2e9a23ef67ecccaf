import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Random } from '../demonstration/random.ts'
import { deepJson, randomEvent, randomJson } from './fuzzed-json.ts'

export type FuzzedRequest = {
  path: string
  /** Whether its answer says how many events are accepted, and its tenant's ids are not remembered. */
  isCounted: boolean
  headers: Record<string, string>
  body: Buffer
}

const paths = ['/v1/events', '/v1/events', '/v1/events', '/v1/events/validate', '/api/v1/events']
const queries = ['?results=all', '?results=none', '?results=all&results=all', '?%00', '?%', '?a[b]=c']
const contentTypes = [
  ...[
    'application/json',
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ],
  ...[
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=latin1',
  ],
  ...[
    'application/json;',
    'APPLICATION/JSON',
    'text/plain',
    'application/jsonp',
    'application',
    ';',
    'a/b; c="',
  ],
  ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/cloudevents+avro'],
]
const attributes = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'tenant',
  '__proto__',
  'x',
]
const headerTexts = [
  '1.0',
  '',
  'a',
  '%',
  '%zz',
  '%E4',
  '%00',
  '%F0%9F%98%80',
  '2026-11-21T12:00:00Z',
  '"',
  'x'.repeat(300),
]

/** One request after another, the same ones for the same seed. Most ids are new, so that most events would be billed. */
export function createRequests(random: Random, run: string): () => FuzzedRequest {
  let made = 0
  const event = () =>
    randomEvent(random, `${run}-${random.below(10) === 0 ? random.below(made + 1) : ++made}`)

  function text(): string {
    const kind = random.below(10)
    if (random.below(300) === 0) return large()
    if (kind === 0) return randomJson(random)
    if (kind === 1) return random.below(2) === 0 ? deepJson(random) : event()
    if (kind < 5) return event()
    const batch = `[${Array.from({ length: random.below(8) }, event).join(',')}]`
    return random.below(4) === 0 ? batch.slice(0, random.below(batch.length + 1)) : batch
  }

  /** Around what a body may be, in bytes or in events. */
  function large(): string {
    const filled = event().slice(0, -1)
    if (random.below(2) === 0) return `${filled},"note":"${'x'.repeat(4_000_000 + random.below(2_000_000))}"}`
    return `[${Array.from({ length: 4_000 + random.below(2_000) }, event).join(',')}]`
  }

  return () => {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (random.below(4) === 0) headers['content-type'] = random.pick(contentTypes)
    if (random.below(60) === 0) delete headers['content-type']
    if (random.below(10) === 0) addBinaryMode(random, headers)
    const kind = random.below(20)
    let body = kind === 0 ? randomBytes(random, random.below(600)) : Buffer.from(text())
    if (kind < 5) body = damaged(random, body)
    if (random.below(8) === 0) body = encoded(random, body, headers)
    const query = random.below(12) === 0 ? random.pick(queries) : ''
    const path = random.pick(paths)
    const isCounted = path !== '/api/v1/events' && random.below(3) > 0
    return { path: path + query, isCounted, headers, body }
  }
}

function addBinaryMode(random: Random, headers: Record<string, string>): void {
  headers['ce-specversion'] = random.below(3) === 0 ? random.pick(headerTexts) : '1.0'
  for (const name of attributes) if (random.below(2) === 0) headers[`ce-${name}`] = random.pick(headerTexts)
}

const randomBytes = (random: Random, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, () => random.below(256)))

const pieces = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\ud800',
  '1e999',
  'null',
  '-',
  '\u0000',
  '__proto__',
  '\ufeff',
]

/** Bits turned, pieces written over it, ranges taken out or doubled, cut short. */
function damaged(random: Random, body: Buffer): Buffer {
  let bytes = Buffer.from(body)
  for (let change = 1 + random.below(4); change > 0 && bytes.length > 0; change -= 1) {
    const at = random.below(bytes.length)
    const to = Math.min(bytes.length, at + random.below(30))
    const kind = random.below(6)
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    else if (kind === 1) bytes[at] = random.below(256)
    else if (kind === 2) bytes.write(random.pick(pieces), at)
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    else if (random.below(4) === 0) bytes = Buffer.from(bytes.subarray(0, at))
  }
  return bytes
}

/** Compressed, soundly or not, or said to be when it is not. */
function encoded(random: Random, body: Buffer, headers: Record<string, string>): Buffer {
  const coding = random.pick(['gzip', 'zstd', 'gzip', 'zstd', 'br', 'identity', 'gzip, gzip', ''])
  headers['content-encoding'] = coding
  const compressed = coding === 'gzip' ? gzipSync(body) : coding === 'zstd' ? zstdCompressSync(body) : body
  return random.below(3) === 0 ? damaged(random, compressed) : compressed
}
