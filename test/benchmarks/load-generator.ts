import { benchEvent, cloudEventText, serialText } from './bench-event.ts'
import { openConnection } from './http-connection.ts'
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
}

export type LoadReport = {
  /** Acknowledged within the measured time. */
  events: number
  seconds: number
  latenciesMicros: number[]
  /** Acknowledged in all, warm-up included: the serials from 0 up to it. */
  acknowledged: number
}

/** Each connection sends its next request when its last is answered; anything but "all accepted" ends the run. */
async function generateLoad(order: LoadOrder): Promise<LoadReport> {
  const { eventsPerRequest } = order
  const startsAt = performance.now() + order.warmUpMs
  const endsAt = startsAt + order.durationMs
  const latenciesMicros: number[] = []
  let serial = 0

  const client = async (): Promise<void> => {
    const type =
      eventsPerRequest === 1 ? 'application/cloudevents+json' : 'application/cloudevents-batch+json'
    const headers = { authorization: `Bearer ${order.key}`, 'content-type': type }
    const connection = await openConnection({ port: order.port, path: '/v1/events', headers })
    const body = createBody(order)
    for (let sentAt = performance.now(); sentAt < endsAt; sentAt = performance.now()) {
      body.number(serial)
      serial += eventsPerRequest
      const { status, body: text } = await connection.post(body.bytes)
      const now = performance.now()
      if (status !== 202 || JSON.parse(text).accepted !== eventsPerRequest)
        throw new Error(
          `a request of ${eventsPerRequest} events was answered ${status}: ${text.slice(0, 500)}`,
        )
      if (now >= startsAt && now < endsAt) latenciesMicros.push(Math.round((now - sentAt) * 1000))
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: order.connections }, client))
  const events = latenciesMicros.length * eventsPerRequest
  return { events, seconds: order.durationMs / 1000, latenciesMicros, acknowledged: serial }
}

/** A request's body made once; only the numbers in its ids are written anew, in place. */
function createBody({ run, eventsPerRequest }: LoadOrder): { bytes: Buffer; number(first: number): void } {
  const events = Array.from({ length: eventsPerRequest }, (_, at) => cloudEventText(benchEvent(run, at)))
  const bytes = Buffer.from(eventsPerRequest === 1 ? (events[0] ?? '') : `[${events.join(',')}]`)
  const places: number[] = []
  const mark = `"id":"${run}-`
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) places.push(at + mark.length)
  return {
    bytes,
    number(first) {
      for (const [at, place] of places.entries()) bytes.write(serialText(first + at), place, 'latin1')
    },
  }
}

answerOrder(generateLoad)
