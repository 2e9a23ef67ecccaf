import { Agent, request as send } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { answerOrder } from '../worker.ts'
import { type BenchRequest, type LoadKind, requestOf } from './requests.ts'

export type RequestOrder = {
  port: number
  key: string
  kind: LoadKind
  /** Requests per second, whatever the answers take. */
  rate: number
  /** The serial of the first, so that no two rounds send the same. */
  firstSerial: number
  /** When new subscriptions begin. */
  start: string
  warmUpMs: number
  durationMs: number
}

export type RequestReport = { latenciesMicros: number[]; sent: number; failures: string[] }

/** More are not sent at once: a server that cannot keep up would only be drowned. */
const mostUnderWay = 32

/**
 * Requests at a fixed rate: one that is due counts from then on, so that a server that stands still cannot hide it. What is
 * due and still not sent at the end counts with the time that it has waited.
 */
async function generate(order: RequestOrder): Promise<RequestReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const begunAt = performance.now()
  const startsAt = begunAt + order.warmUpMs
  const endsAt = startsAt + order.durationMs
  const latenciesMicros: number[] = []
  const failures: string[] = []
  const sends: Promise<void>[] = []
  const due: number[] = []
  let sent = 0
  let underWay = 0

  const one = async (request: BenchRequest, dueAt: number): Promise<void> => {
    underWay += 1
    const { status, text } = await answerTo(order, agent, request)
    underWay -= 1
    if (dueAt >= startsAt) latenciesMicros.push(Math.round((performance.now() - dueAt) * 1000))
    if (status !== 200 && status !== 201)
      failures.push(`${request.method} ${request.path}: ${status} ${text.slice(0, 300)}`)
  }
  while (performance.now() < endsAt) {
    const now = performance.now()
    while (sent + due.length < ((now - begunAt) / 1000) * order.rate) due.push(now)
    while (due.length > 0 && underWay < mostUnderWay) {
      sends.push(one(requestOf(order.kind, order.firstSerial + sent, order.start), due.shift() ?? now))
      sent += 1
    }
    await pause(1)
  }
  await Promise.all(sends)
  for (const dueAt of due)
    if (dueAt >= startsAt) latenciesMicros.push(Math.round((performance.now() - dueAt) * 1000))
  agent.destroy()
  return { latenciesMicros, sent, failures: failures.slice(0, 5) }
}

function answerTo(
  { port, key }: RequestOrder,
  agent: Agent,
  { method, path, body }: BenchRequest,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      authorization: `Bearer ${key}`,
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    }
    const sent = send({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(payload)
  })
}

answerOrder(generate)
