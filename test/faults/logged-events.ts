import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { readTopic } from '@tidemark/infra/kafka/topic-reader.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import type { SentEvent } from './sent-events.ts'

export type LoggedEvent = UsageEvent & { partition: number }

/** Everything on usage.events, by id. */
export async function readLoggedEvents(
  kafka: KafkaClient,
  prefix: string,
): Promise<Map<string, LoggedEvent[]>> {
  const found = new Map<string, LoggedEvent[]>()
  for await (const records of readTopic(kafka, prefix + usageEventsTopic))
    for (const { value, partition, offset } of records) {
      const framed = unframe(value)
      if (framed.kind === 'malformed') throw new Error(`record ${partition}/${offset} is ${framed.reason}`)
      const event: UsageEvent = usageEventType.fromBuffer(framed.payload)
      const copies = found.get(event.id)
      if (copies === undefined) found.set(event.id, [{ ...event, partition }])
      else copies.push({ ...event, partition })
    }
  return found
}

export type Comparison = { lost: number; doubled: number; centsOff: number; copies: number }

/**
 * Holds what was acknowledged against the log. A copy counts as doubled where a bill would count it, because the log's
 * reader cannot tell that it is one (another partition, another payload, for records of a relay another time); with
 * `uncertainOnly` also a copy of an event of which every send was answered for certain.
 */
export function compareWithLog(
  sent: readonly SentEvent[],
  logged: ReadonlyMap<string, readonly LoggedEvent[]>,
  { uncertainOnly = false, sameTime = false }: { uncertainOnly?: boolean; sameTime?: boolean } = {},
): Comparison {
  const result = { lost: 0, doubled: 0, centsOff: 0, copies: 0 }
  for (const event of sent) {
    const [first, ...copies] = logged.get(event.id) ?? []
    if (first === undefined) {
      if (event.isAcknowledged) result.lost += 1
      continue
    }
    result.copies += copies.length
    result.centsOff += Math.abs(quantityOf(first) - event.quantity)
    for (const copy of copies)
      if (!isSame(first, copy, sameTime) || (uncertainOnly && !event.isUncertain)) result.doubled += 1
  }
  return result
}

const isSame = (first: LoggedEvent, copy: LoggedEvent, sameTime: boolean): boolean =>
  first.partition === copy.partition &&
  first.source === copy.source &&
  first.payloadHash.equals(copy.payloadHash) &&
  (!sameTime || first.time === copy.time)

/** NaN where the data is not what was sent, which no comparison forgives. */
function quantityOf({ data }: LoggedEvent): number {
  const quantity = /^\{"quantity":(\d+),"region":"eu-west"\}$/.exec(data)?.[1]
  return quantity === undefined ? Number.NaN : Number(quantity)
}
