import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../demonstration/random.ts'
import { until } from '../eventually.ts'
import type { SentEvent, SentEvents } from './sent-events.ts'

export type ClientsOptions = {
  url: string
  key: string
  sent: SentEvents
  random: Random
  /** Whether a broken connection is part of the fault; otherwise it ends the run. */
  mayBreak: boolean
}

export type Clients = {
  acknowledgedEvents(): number
  /** Requests answered 503. */
  refusals(): number
  /** Waits until so many events more than now are acknowledged. */
  untilAcknowledged(events: number): Promise<void>
  untilRefused(requests: number): Promise<void>
  /** When a request was first acknowledged after an instant; `begun` counts only requests that began after it. */
  firstSuccessAfter(instant: number, begun: boolean): Promise<number>
  /** Each client goes on until what it has under way is acknowledged, and ends. */
  stop(): Promise<void>
}

const singles = 6
const batches = 3
const mostPerBatch = 200
const pauseMs = 20
const requestTimeoutMs = 60_000
const patience = { timeout: 120_000, interval: 2 }

/**
 * Clients as they should be: each sends the same request again until it is acknowledged, and only then the next. Anything
 * but 202 and 503 is a fault of Tidemark.
 */
export function startClients({ url, key, sent, random, mayBreak }: ClientsOptions): Clients {
  const agent = new Agent({ keepAlive: true })
  const successes: { begunAt: number; answeredAt: number }[] = []
  let events = 0
  let refused = 0
  let isRunning = true
  let fault: Error | undefined

  async function deliver(batch: readonly SentEvent[]): Promise<void> {
    const [only] = batch
    const body = JSON.stringify(batch.length === 1 ? only?.body : batch.map((each) => each.body))
    for (;;) {
      const begunAt = performance.now()
      const answer = await post(body).catch((error: Error) => error)
      if (answer instanceof Error && !mayBreak) throw answer
      if (!(answer instanceof Error)) {
        if (answer.status === 202) {
          if (answer.accepted !== batch.length) throw new Error(`202 accepts not all: ${answer.text}`)
          for (const event of batch) event.isAcknowledged = true
          events += batch.length
          successes.push({ begunAt, answeredAt: performance.now() })
          return
        }
        if (answer.status !== 503) throw new Error(`answered ${answer.status}: ${answer.text}`)
        refused += 1
      }
      for (const event of batch) event.isUncertain = true
      await pause(pauseMs)
    }
  }

  function post(body: string): Promise<{ status: number | undefined; accepted: unknown; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const posting = request(`${url}/v1/events`, { method: 'POST', agent, headers })
      posting.setTimeout(requestTimeoutMs, () => posting.destroy(new Error('no answer within a minute')))
      posting.on('error', reject).on('response', (response) => {
        response
          .toArray()
          .then((chunks) => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: response.statusCode, accepted: JSON.parse(text).accepted, text })
          })
          .catch(reject)
      })
      posting.end(body)
    })
  }

  async function client(perRequest: () => number): Promise<void> {
    try {
      while (isRunning && fault === undefined) await deliver(sent.make(perRequest()))
    } catch (error) {
      fault ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  const running = Promise.all([
    ...Array.from({ length: singles }, () => client(() => 1)),
    ...Array.from({ length: batches }, () => client(() => 2 + random.below(mostPerBatch))),
  ])
  const untilSound = (what: string, isSo: () => boolean): Promise<void> =>
    until(
      what,
      () => {
        if (fault !== undefined) throw fault
        return isSo()
      },
      patience,
    )

  return {
    acknowledgedEvents: () => events,
    refusals: () => refused,
    untilAcknowledged(more) {
      const wanted = events + more
      return untilSound(`${more} events more are acknowledged`, () => events >= wanted)
    },
    untilRefused(more) {
      const wanted = refused + more
      return untilSound(`${more} requests more are answered 503`, () => refused >= wanted)
    },
    async firstSuccessAfter(instant, begun) {
      const find = () =>
        successes.find(({ begunAt, answeredAt }) => (begun ? begunAt : answeredAt) > instant)?.answeredAt
      await untilSound('a request succeeds again', () => find() !== undefined)
      return find() ?? Number.NaN
    },
    async stop() {
      isRunning = false
      await running
      agent.destroy()
      if (fault !== undefined) throw fault
    },
  }
}
