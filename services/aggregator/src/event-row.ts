import { hourOf } from '@tidemark/schemas/instant.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { Decision, Verdict } from './deduplication/decide.ts'

export type TableRows = {
  readonly table: string
  readonly columns: readonly string[]
  readonly bytes: Uint8Array
}

/** Numbers of the tables' Enum8. */
export const verdictNumbers: Record<Verdict, number> = {
  accepted: 1,
  duplicate: 2,
  conflict: 3,
  correction: 4,
  rejected: 5,
}

/** The UTC hour that a row counts in; 1970 where there is none. */
export const hourSeconds = (event: UsageEvent | undefined): number =>
  event === undefined ? 0 : hourOf(event.time) / 1_000_000

export const eventOf = ({ record: { reading } }: Decision): UsageEvent | undefined =>
  reading.kind === 'event' ? reading.event : undefined

/** The event that a row's type and hour are of. A void counts nowhere, whatever type and time its sender gave it. */
export function placedEventOf(decision: Decision): UsageEvent | undefined {
  const event = eventOf(decision)
  return event?.action === 'void' ? undefined : event
}
