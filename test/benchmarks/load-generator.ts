import { openConnection } from './http-connection.ts'
import { createBody } from './load-body.ts'
import { answerOrder } from './worker.ts'

export type LoadOrder = {
  port: number
  key: string
  connections: number
  eventsPerRequest: number
  warmUpMs: number
  durationMs: number
  /** Names the events: no two orders of one installation share it. */
  run: string
  /** What a 503 does: ends the run, or the same request is sent again, at once, until it is accepted. Default end. */
  onUnavailable?: 'end' | 'again'
}

export type LoadReport = {
  /** Acknowledged within the measured time. */
  events: number
  seconds: number
  latenciesMicros: number[]
  /** Acknowledged in all, warm-up included: the serials from 0 up to it. */
  acknowledged: number
  /** Requests that were answered 503 and sent again. */
  refused: number
}

/** Each connection sends its next request when its last is answered; anything but "all accepted" ends the run. */
async function generateLoad(order: LoadOrder): Promise<LoadReport> {
  const { eventsPerRequest } = order
  const startsAt = performance.now() + order.warmUpMs
  const endsAt = startsAt + order.durationMs
  const latenciesMicros: number[] = []
  let serial = 0
  let refused = 0

  const client = async (): Promise<void> => {
    const body = createBody(order)
    const { port, key } = order
    const connection = await openConnection({ port, path: '/v1/events', headers: body.headers(key) })
    let isAccepted = true
    for (let sentAt = performance.now(); sentAt < endsAt || !isAccepted; sentAt = performance.now()) {
      if (isAccepted) {
        body.number(serial)
        serial += eventsPerRequest
      }
      const { status, body: text } = await connection.post(body.bytes)
      isAccepted = status === 202 && JSON.parse(text).accepted === eventsPerRequest
      if (!isAccepted && (status !== 503 || order.onUnavailable !== 'again'))
        throw new Error(`${eventsPerRequest} events were answered ${status}: ${text.slice(0, 500)}`)
      const now = performance.now()
      if (!isAccepted) refused += 1
      else if (now >= startsAt && now < endsAt) latenciesMicros.push(Math.round((now - sentAt) * 1000))
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: order.connections }, client))
  const events = latenciesMicros.length * eventsPerRequest
  return { events, seconds: order.durationMs / 1000, latenciesMicros, acknowledged: serial, refused }
}

answerOrder(generateLoad)
