import { randomUUID } from 'node:crypto'
import type { Random } from '../demonstration/random.ts'

export type SentEvent = {
  readonly id: string
  readonly quantity: number
  readonly body: Readonly<Record<string, unknown>>
  isAcknowledged: boolean
  /** Sent again with reason: a send was not answered, or by 503, and may have reached the log all the same. */
  isUncertain: boolean
}

export type SentEvents = {
  /** Makes events that nobody has sent yet. */
  make(count: number): SentEvent[]
  all(): readonly SentEvent[]
  countAcknowledged(): number
}

/** What a run sends, and what is known of each event. Some carry a time, the others leave it to Tidemark. */
export function createSentEvents(random: Random): SentEvents {
  const run = randomUUID()
  const events: SentEvent[] = []
  const makeOne = (): SentEvent => {
    const id = `${run}-${events.length}`
    const quantity = 1 + random.below(1_000_000)
    const body = {
      specversion: '1.0',
      id,
      source: '/faults',
      type: 'api.request',
      subject: `customer-${random.below(50)}`,
      ...(random.below(2) === 0 ? {} : { time: new Date().toISOString() }),
      data: { quantity, region: 'eu-west' },
    }
    const event = { id, quantity, body, isAcknowledged: false, isUncertain: false }
    events.push(event)
    return event
  }
  return {
    make: (count) => Array.from({ length: count }, makeOne),
    all: () => events,
    countAcknowledged: () => events.filter(({ isAcknowledged }) => isAcknowledged).length,
  }
}
