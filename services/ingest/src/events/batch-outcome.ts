import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { EventRules } from './event-rules.ts'
import type { EncodeEvent, EventOrigin } from './usage-record.ts'
import { validateEvent } from './validate-event.ts'

export type EventResult =
  | { readonly index: number; readonly id: string | null; readonly status: 'accepted' }
  | {
      readonly index: number
      readonly id: string | null
      readonly status: 'rejected'
      readonly code: string
      readonly field: string
      readonly message: string
    }

export type BatchOutcome = {
  /** What is to be published: one record for each valid event, copies of one event included. */
  readonly messages: readonly OutboundMessage[]
  readonly rejected: number
  /** Every event when all were asked for, else only those rejected; by index. */
  readonly results: readonly EventResult[]
}

/** Decides each event on its own: an invalid one never takes the others along. */
export function decideBatch(
  events: readonly Json[],
  origin: EventOrigin,
  context: { rules: EventRules; encode: EncodeEvent; allResults: boolean },
): BatchOutcome {
  const messages: OutboundMessage[] = []
  const results: EventResult[] = []
  for (let index = 0; index < events.length; index++) {
    const value = events[index] ?? null
    const checked = validateEvent(value, context.rules, origin.acceptedAt)
    if (checked.kind === 'event') {
      messages.push(context.encode(checked, origin))
      if (context.allResults) results.push({ index, id: checked.id, status: 'accepted' })
    } else {
      const { code, field, message } = checked
      results.push({ index, id: idOf(value), status: 'rejected', code, field, message })
    }
  }
  return { messages, rejected: events.length - messages.length, results }
}

/** By which the sender finds the event again, as far as it has one. */
function idOf(value: Json): string | null {
  if (!isRecord(value) || typeof value.id !== 'string') return null
  return value.id.slice(0, 256).toWellFormed()
}
