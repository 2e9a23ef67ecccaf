import type { Logger } from 'pino'
import type { Faults } from './faults.ts'
import type { Endpoint } from './journal.ts'
import { type Delivery, deliveryKey, type StateStore } from './state.ts'
import { signatureHeader } from './webhook-signature.ts'

export type WebhookOptions = {
  store: StateStore
  faults: Faults
  /** Those of the configuration; the ones set at run time are in the state. */
  configured: Endpoint[]
  retryBaseMs: number
  retryMaxMs: number
  log: Logger
}

export type Webhooks = {
  /** The URLs that an event of this account goes to. */
  targets(account: string): string[]
  endpoints(): Endpoint[]
  /** Sends everything that is pending and not yet on its way. */
  deliver(): void
  stop(): void
}

type Sending = { delivery: Delivery; failures: number }
type Queue = { waiting: Sending[]; inFlight: number; held: (() => void)[] }

const inFlightMost = 4
const attemptTimeoutMs = 10_000
/** Live mode gives up after three days: https://docs.stripe.com/webhooks#automatic-retries */
const giveUpAfterMs = 3 * 24 * 60 * 60 * 1_000

/**
 * Delivers events until the endpoint answers 2xx. Stripe promises neither order nor exactly one delivery, so
 * receivers may rely on neither; without scripted faults an endpoint that answers sees each event once, about in order.
 */
export function createWebhooks(options: WebhookOptions): Webhooks {
  const { store, faults, log } = options
  const underWay = new Set<string>()
  const queues = new Map<string, Queue>()
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false

  const endpoints = () => [...options.configured, ...store.state.endpoints]

  function deliver(): void {
    for (const [key, delivery] of store.state.pending) {
      if (underWay.has(key)) continue
      underWay.add(key)
      begin(delivery)
    }
  }

  function begin(delivery: Delivery): void {
    const fault = faults.takeForWebhook({ account: delivery.account, type: delivery.event.type })
    if (fault?.fault === 'webhook_lost') finish(delivery, 'lost')
    else if (fault?.fault === 'webhook_reordered') hold(delivery, fault.delayMs)
    else enqueue({ delivery, failures: 0 })
    if (fault?.fault === 'webhook_duplicated') enqueue({ delivery, failures: 0 })
  }

  /** Lets the next delivery to the same endpoint overtake, or goes after the delay if none comes. */
  function hold(delivery: Delivery, delayMs: number): void {
    let released = false
    const release = () => {
      if (released) return
      released = true
      enqueue({ delivery, failures: 0 })
    }
    queueOf(delivery.url).held.push(release)
    later(delayMs, release)
  }

  function enqueue(sending: Sending): void {
    queueOf(sending.delivery.url).waiting.push(sending)
    pump(sending.delivery.url)
  }

  function pump(url: string): void {
    const queue = queueOf(url)
    while (!stopped && queue.inFlight < inFlightMost) {
      const sending = queue.waiting.shift()
      if (sending === undefined) return
      queue.inFlight += 1
      void attempt(sending).finally(() => {
        queue.inFlight -= 1
        pump(url)
      })
    }
  }

  async function attempt({ delivery, failures }: Sending): Promise<void> {
    const endpoint = endpoints().find(({ url }) => url === delivery.url)
    // An endpoint that was taken away gets nothing more.
    if (endpoint === undefined) return finish(delivery, 'abandoned')
    const status = await send(delivery, endpoint)
    if (stopped) return
    if (status >= 200 && status < 300) {
      finish(delivery, 'delivered')
      for (const release of queueOf(delivery.url).held.splice(0)) release()
      return
    }
    if (store.nowMs() - delivery.event.created * 1_000 > giveUpAfterMs) return finish(delivery, 'abandoned')
    const delayMs = Math.min(options.retryMaxMs, options.retryBaseMs * 2 ** failures)
    log.debug({ event: delivery.event.id, url: delivery.url, status, delayMs }, 'webhook will be sent again')
    later(delayMs, () => enqueue({ delivery, failures: failures + 1 }))
  }

  /** Gives the HTTP status, or 0 if there was none. Signed with the real time: receivers judge by their clocks. */
  async function send(delivery: Delivery, endpoint: Endpoint): Promise<number> {
    const body = JSON.stringify({ ...delivery.event, pending_webhooks: 1 })
    try {
      const response = await fetch(endpoint.url, {
        method: 'POST',
        body,
        // A redirect is not a 2xx: Stripe does not follow it, so a test must not either.
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signatureHeader(body, endpoint.secret, Math.floor(Date.now() / 1_000)),
          'user-agent': 'Stripe/1.0 (Tidemark simulator)',
        },
        signal: AbortSignal.timeout(attemptTimeoutMs),
      })
      await response.arrayBuffer()
      return response.status
    } catch {
      return 0
    }
  }

  function finish(delivery: Delivery, result: 'delivered' | 'lost' | 'abandoned'): void {
    const key = deliveryKey(delivery)
    underWay.delete(key)
    // The second copy of a duplicate finds nothing pending.
    if (!store.state.pending.has(key) || stopped) return
    store.write({ line: 'delivery', event: delivery.event.id, url: delivery.url, result })
  }

  function queueOf(url: string): Queue {
    const queue = queues.get(url) ?? { waiting: [], inFlight: 0, held: [] }
    queues.set(url, queue)
    return queue
  }

  function later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!stopped) act()
    }, delayMs)
    timers.add(timer)
  }

  return {
    targets: (account) => [
      ...new Set(
        endpoints()
          .filter((endpoint) => endpoint.account === null || endpoint.account === account)
          .map((endpoint) => endpoint.url),
      ),
    ],
    endpoints,
    deliver,
    stop: () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
