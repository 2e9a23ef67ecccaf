import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { openUsageProducer } from '../usage-producer.ts'
import { benchEvent } from './bench-event.ts'

/** What lies in the log before the aggregator starts. */
export const backlog = { run: 'backlog', batchEvents: 2_000, sendsAhead: 4 }

/** Every 50th record repeats the one 25 before it. */
const duplicateEvery = 50
const duplicateDistance = 25

/** Of a backlog of so many records. */
export const duplicatesOf = (records: number): number => records / duplicateEvery
export const acceptedOf = (records: number): number => records - duplicatesOf(records)

/** Resolves when Kafka has acknowledged all of it. */
export async function sendBacklog(
  env: Record<string, string>,
  prefix: string,
  records: number,
): Promise<void> {
  const producer = await openUsageProducer(env, prefix)
  const ahead = new Set<Promise<void>>()
  for (let from = 0; from < records; from += backlog.batchEvents) {
    const sending = producer.send(Array.from({ length: backlog.batchEvents }, (_, at) => recordAt(from + at)))
    ahead.add(sending.finally(() => ahead.delete(sending)))
    if (ahead.size >= backlog.sendsAhead) await Promise.race(ahead)
  }
  await Promise.all(ahead)
  await producer.close()
}

function recordAt(index: number): UsageEvent {
  const isDuplicate = index % duplicateEvery === duplicateEvery - 1
  return benchEvent(backlog.run, isDuplicate ? index - duplicateDistance : index)
}
