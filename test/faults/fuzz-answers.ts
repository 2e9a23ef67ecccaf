import { type Agent, request } from 'node:http'
import { connect } from 'node:net'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Random } from '../demonstration/random.ts'
import type { FuzzedRequest } from './fuzzed-request.ts'

export type FuzzTarget = {
  url: string
  agent: Agent
  key: string
  /** Of a tenant whose ids are remembered: what it sends reaches the log, or not, for other reasons than its answer. */
  uncountedKey: string
}

type Answer = { status: number; contentType: string; text: string }

/** @throws Error with the request, where the answer is none that the API promises */
export async function sendFuzzed(
  target: FuzzTarget,
  sent: FuzzedRequest,
): Promise<{ status: number; accepted: number }> {
  const answer = await post(target, sent).catch((error: Error) => error)
  if (answer instanceof Error) throw new Error(`no answer (${answer.message}) to ${describe(sent)}`)
  const { status, contentType, text } = answer
  const fail = (): never => {
    throw new Error(`answered ${status} ${text.slice(0, 500)} to ${describe(sent)}`)
  }
  if (status === 204) return { status, accepted: 0 }
  const body: unknown = JSON.parse(text)
  if (!isRecord(body)) return fail()
  if (status >= 400) {
    const isProblem = contentType.startsWith('application/problem+json') && typeof body.code === 'string'
    return status < 500 && isProblem && body.status === status ? { status, accepted: 0 } : fail()
  }
  if (status === 200 && typeof body.valid === 'number') return { status, accepted: 0 }
  if (status !== 202 || typeof body.accepted !== 'number') return fail()
  return { status, accepted: sent.isCounted ? body.accepted : 0 }
}

function post(
  { url, agent, key, uncountedKey }: FuzzTarget,
  { path, isCounted, headers, body }: FuzzedRequest,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const authorization = `Bearer ${isCounted ? key : uncountedKey}`
    const all = { authorization, ...headers, 'content-length': body.length }
    const posting = request(`${url}${path}`, { method: 'POST', agent, headers: all })
    posting.setTimeout(60_000, () => posting.destroy(new Error('no answer within a minute')))
    posting.on('error', reject).on('response', (response) => {
      response
        .toArray()
        .then((chunks) => {
          const contentType = response.headers['content-type'] ?? ''
          resolve({ status: response.statusCode ?? 0, contentType, text: Buffer.concat(chunks).toString() })
        })
        .catch(reject)
    })
    posting.end(body)
  })
}

/** Bytes that are hardly HTTP, and the end. @throws Error where the answer is a fault of ours */
export async function sendJunk(
  { url, uncountedKey }: FuzzTarget,
  sent: FuzzedRequest,
  random: Random,
): Promise<void> {
  const { hostname, port } = new URL(url)
  // Some of it turns out to be a request.
  const head = junkHead(sent, uncountedKey, random)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.setTimeout(60_000, () => socket.destroy(new Error('neither an answer nor an end within a minute')))
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), sent.body]))
  // Whoever is cut off in the middle of nonsense gets no answer, and needs none.
  const answer = await socket.toArray().then(
    (chunks) => Buffer.concat(chunks).toString('latin1'),
    (error: Error) => {
      if (error.message.includes('minute')) throw error
      return ''
    },
  )
  if (!isHonest(answer)) throw new Error(`answered ${answer.slice(0, 300)} to ${JSON.stringify(head)}`)
}

/** Node itself answers a missing Host or an unknown Expect, without a body, and lets clients go on that are cut off then. */
function isHonest(answer: string): boolean {
  const last = answer.replace('HTTP/1.1 100 Continue\r\n\r\n', '')
  if (last === '' || /^HTTP\/1\.1 2\d\d /.test(last)) return true
  const type = /\r\ncontent-type: ([^\r;]+)/i.exec(last)?.[1]
  return /^HTTP\/1\.1 4\d\d /.test(last) && (type === undefined || type === 'application/problem+json')
}

function junkHead({ path, body }: FuzzedRequest, key: string, random: Random): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: x',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  const junk = [
    ...[
      'content-length: 1',
      'content-length: -1',
      'content-length: 1e9',
      'transfer-encoding: chunked',
      ': x',
    ],
    ...[
      'transfer-encoding: gzip',
      'expect: 100-continue',
      'expect: x',
      'connection: upgrade',
      'upgrade: h2c',
    ],
    ...[
      'GET / HTTP/9.9',
      'PRI * HTTP/2.0',
      'x',
      '\u0000',
      `x: ${'y'.repeat(20_000)}`,
      'host: y',
      '\u0016\u0003\u0001',
    ],
  ]
  for (let change = 1 + random.below(2); change > 0; change -= 1)
    lines[random.below(lines.length)] = random.pick(junk)
  return `${lines.join('\r\n')}\r\n\r\n`
}

const describe = ({ path, headers, body }: FuzzedRequest): string =>
  `${path} ${JSON.stringify(headers)} ${body.length} bytes in base64: ${body.toString('base64').slice(0, 4_000)}`
