import { eventLimits } from '@tidemark/schemas/usage-event.ts'

/** What an installation may choose. */
export type EventRules = {
  /** How far ahead of us an event's time may lie: clocks differ. */
  readonly futureMs: number
  /** How far back. */
  readonly pastMs: number
}

export const defaultRules: EventRules = { futureMs: eventLimits.futureMs, pastMs: eventLimits.pastMs }
