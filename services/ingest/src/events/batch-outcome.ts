import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { DataCheck } from '../event-schemas/event-schemas.ts'
import type { EventRules } from './event-rules.ts'
import { judgeEvent } from './judge-event.ts'
import type { EncodeEvent, EventOrigin, UsageMessage } from './usage-record.ts'

export type EventResult =
  | {
      readonly index: number
      readonly id: string | null
      readonly status: 'accepted'
      /** A warning: it is accepted all the same. */
      readonly code?: string
      readonly message?: string
    }
  | { readonly index: number; readonly id: string | null; readonly status: 'duplicate' }
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
  readonly messages: readonly UsageMessage[]
  /** Known to be in the log already, and so not among the messages. */
  readonly duplicates: number
  readonly rejected: number
  /** Every event when all were asked for, else what was not plainly accepted; by index. */
  readonly results: readonly EventResult[]
}

export type DecideContext = {
  rules: EventRules
  encode: EncodeEvent
  checkData: DataCheck | undefined
  allResults: boolean
}

/** Decides each event on its own: an invalid one never takes the others along. */
export function decideBatch(
  events: readonly Json[],
  origin: EventOrigin,
  context: DecideContext,
): BatchOutcome {
  const messages: UsageMessage[] = []
  const results: EventResult[] = []
  for (let index = 0; index < events.length; index++) {
    const value = events[index] ?? null
    const checked = judgeEvent(value, context.rules, origin.acceptedAt, context.checkData)
    if (checked.kind === 'event') {
      messages.push(context.encode(checked, origin))
      if (context.allResults) results.push({ index, id: checked.id, status: 'accepted' })
    } else {
      const { code, field, message } = checked
      results.push({ index, id: idOf(value), status: 'rejected', code, field, message })
    }
  }
  return { messages, duplicates: 0, rejected: events.length - messages.length, results }
}

/** By which the sender finds the event again, as far as it has one. */
function idOf(value: Json): string | null {
  if (!isRecord(value) || typeof value.id !== 'string') return null
  return value.id.slice(0, 256).toWellFormed()
}
