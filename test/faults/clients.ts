import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../demonstration/random.ts'
import { until } from '../eventually.ts'
import type { SentEvent, SentEvents } from './sent-events.ts'

export type ClientsOptions = {
  url: string
  /** Half of the clients send with each. */
  key: string
  rememberedKey: string
  sent: SentEvents
  random: Random
  /** Whether a broken connection is part of the fault; otherwise it ends the run. */
  mayBreak: boolean
}

export type Clients = {
  acknowledgedEvents(): number
  counts(): { refusals: number; knownAtTheDoor: number }
  /** Waits until so many events more than now are acknowledged. */
  untilAcknowledged(events: number): Promise<void>
  untilRefused(requests: number): Promise<void>
  /** When a request was first acknowledged after an instant; `begun` counts only requests that began after it. */
  firstSuccessAfter(instant: number, begun: boolean): Promise<number>
  /** Each client goes on until what it has under way is acknowledged, and ends. */
  stop(): Promise<void>
}

const singles = 6
const batches = 4
const mostPerBatch = 200
/** One request in so many is sent again although it was acknowledged. */
const againOneIn = 20
const pauseMs = 20
const requestTimeoutMs = 60_000
const patience = { timeout: 120_000, interval: 2 }

type Answer = { status: number | undefined; accepted: number; duplicates: number; text: string }

/**
 * Clients as they should be: each sends the same request again until it is acknowledged, and only then the next; now
 * and then it sends one that was acknowledged already. Anything but 202 and 503 is a fault of Tidemark.
 */
export function startClients(options: ClientsOptions): Clients {
  const { url, sent, random, mayBreak } = options
  const agent = new Agent({ keepAlive: true })
  const successes: { begunAt: number; answeredAt: number }[] = []
  let events = 0
  let refused = 0
  let known = 0
  let isRunning = true
  let fault: Error | undefined

  async function deliver(batch: readonly SentEvent[], key: string): Promise<void> {
    const [only] = batch
    const body = JSON.stringify(batch.length === 1 ? only?.body : batch.map((each) => each.body))
    for (;;) {
      const begunAt = performance.now()
      const answer = await post(body, key).catch((error: Error) => error)
      if (answer instanceof Error && !mayBreak) throw answer
      if (!(answer instanceof Error)) {
        if (answer.status === 202) {
          if (answer.accepted + answer.duplicates !== batch.length)
            throw new Error(`202 does not take all: ${answer.text}`)
          known += answer.duplicates
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

  function post(body: string, key: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const posting = request(`${url}/v1/events`, { method: 'POST', agent, headers })
      posting.setTimeout(requestTimeoutMs, () => posting.destroy(new Error('no answer within a minute')))
      posting.on('error', reject).on('response', (response) => {
        response
          .toArray()
          .then((chunks) => {
            const text = Buffer.concat(chunks).toString()
            const { accepted, duplicates } = JSON.parse(text)
            resolve({ status: response.statusCode, accepted, duplicates, text })
          })
          .catch(reject)
      })
      posting.end(body)
    })
  }

  async function client(number: number, perRequest: () => number): Promise<void> {
    const key = number % 2 === 0 ? options.key : options.rememberedKey
    try {
      while (isRunning && fault === undefined) {
        const batch = sent.make(perRequest())
        await deliver(batch, key)
        if (random.below(againOneIn) > 0) continue
        for (const event of batch) event.isUncertain = true
        await deliver(batch, key)
      }
    } catch (error) {
      fault ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  const running = Promise.all([
    ...Array.from({ length: singles }, (_, at) => client(at, () => 1)),
    ...Array.from({ length: batches }, (_, at) => client(at, () => 2 + random.below(mostPerBatch))),
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
    counts: () => ({ refusals: refused, knownAtTheDoor: known }),
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
