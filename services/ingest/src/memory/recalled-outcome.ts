import type { BatchOutcome, EventResult } from '../events/batch-outcome.ts'
import type { UsageMessage } from '../events/usage-record.ts'
import type { Recollection } from './memory.ts'

/** Told of an event that is accepted although its identity was acknowledged with another payload. */
export const possibleConflict = {
  code: 'possible_conflict',
  message:
    'An event with this source and id was acknowledged before, with another type, subject, time or data. This one is in the log too, which decides; of two that differ the first counts.',
} as const

/**
 * Takes out what is known to be in the log already, and warns of what may contradict it. `outcome` names every event in
 * its results, so that the accepted ones there are its messages in the same order.
 */
export function withRecollections(
  outcome: BatchOutcome,
  recollections: readonly Recollection[],
  allResults: boolean,
): BatchOutcome {
  const messages: UsageMessage[] = []
  const results: EventResult[] = []
  let position = 0
  for (const result of outcome.results) {
    if (result.status !== 'accepted') {
      results.push(result)
      continue
    }
    const message = outcome.messages[position]
    const recollection = recollections[position]
    position += 1
    if (message === undefined) continue
    if (recollection === 'same') {
      results.push({ index: result.index, id: result.id, status: 'duplicate' })
      continue
    }
    messages.push(message)
    if (recollection === 'other') results.push({ ...result, ...possibleConflict })
    else if (allResults) results.push(result)
  }
  return { ...outcome, messages, duplicates: outcome.messages.length - messages.length, results }
}
