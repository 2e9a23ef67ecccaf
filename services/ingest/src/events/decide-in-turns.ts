import { setImmediate as turn } from 'node:timers/promises'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { type BatchOutcome, type DecideContext, decideBatch, type EventResult } from './batch-outcome.ts'
import type { EventOrigin, UsageMessage } from './usage-record.ts'

/** So long one request may go on deciding before others get their turn. */
const turnMs = 10

/**
 * decideBatch for a tenant whose data is checked against schemas: those are its own, and a slow one, times thousands of
 * large events, must not be what everybody else waits for.
 */
export async function decideInTurns(
  events: readonly Json[],
  origin: EventOrigin,
  context: DecideContext,
): Promise<BatchOutcome> {
  const messages: UsageMessage[] = []
  const results: EventResult[] = []
  let rejected = 0
  let duplicates = 0
  let began = performance.now()
  for (let index = 0; index < events.length; index++) {
    const outcome = decideBatch(events.slice(index, index + 1), origin, context)
    messages.push(...outcome.messages)
    for (const result of outcome.results) results.push({ ...result, index })
    rejected += outcome.rejected
    duplicates += outcome.duplicates
    if (performance.now() - began < turnMs) continue
    await turn()
    began = performance.now()
  }
  return { messages, duplicates, rejected, results }
}
