import { openUsageProducer } from '../usage-producer.ts'
import { benchEvent } from './bench-event.ts'
import { answerOrder } from './worker.ts'

export type ProduceOrder = {
  env: Record<string, string>
  /** Of a topic that nobody reads. */
  prefix: string
  /** Publishers at a time, each with the next batch when its last is acknowledged. */
  publishers: number
  batchEvents: number
  warmUpMs: number
  durationMs: number
}

export type ProduceReport = { events: number; seconds: number }

/** The ceiling of ingest: its producer and its group commit with records that were encoded before. */
async function produce(order: ProduceOrder): Promise<ProduceReport> {
  const producer = await openUsageProducer(order.env, order.prefix)
  const startsAt = performance.now() + order.warmUpMs
  const endsAt = startsAt + order.durationMs
  let batches = 0

  const publisher = async (_: unknown, index: number): Promise<void> => {
    const events = Array.from({ length: order.batchEvents }, (_, at) => benchEvent(`alone${index}`, at))
    const messages = events.map(producer.encode)
    while (performance.now() < endsAt) {
      await producer.sendRaw(messages)
      const now = performance.now()
      if (now >= startsAt && now < endsAt) batches += 1
    }
  }
  await Promise.all(Array.from({ length: order.publishers }, publisher))
  await producer.close()
  return { events: batches * order.batchEvents, seconds: order.durationMs / 1000 }
}

answerOrder(produce)
