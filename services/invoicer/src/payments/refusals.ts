import type { Failure } from '@tidemark/infra/process/failure.ts'

/** What a Failure of the processor means for an attempt. */
export type FailureMeaning =
  /** Nothing was executed and repeating cannot help: the attempt has failed. */
  | 'failed'
  /** It may have been executed: ask before it is repeated. */
  | 'unknown'
  /** It was not executed: later. */
  | 'later'

/** Only what is certain ends an attempt. */
const meanings: Record<string, FailureMeaning> = {
  processor_amount_too_small: 'failed',
  processor_amount_too_large: 'failed',
  processor_card_declined: 'failed',
  processor_resource_missing: 'failed',
  processor_refused_request: 'failed',
  processor_rate_limited: 'later',
  // A wrong key is our fault: no customer becomes past due by it.
  processor_unauthorized: 'later',
}

/** What the request's own content decides, alike at every repetition; the rest depends on whom the key belongs to. */
const decisiveAgain = ['processor_amount_too_small', 'processor_amount_too_large', 'processor_card_declined']

/**
 * Whatever is not in the table, a mismatch of parameters under a used key for example, may have moved money. So may what
 * was sent before: that a question or a repetition is refused, as with the key of another account, says nothing of it.
 */
export function meaningOf({ code }: Failure, wasSentBefore: boolean): FailureMeaning {
  const meaning = meanings[code] ?? 'unknown'
  return meaning === 'failed' && wasSentBefore && !decisiveAgain.includes(code) ? 'unknown' : meaning
}

/** What waiting does not mend, so that a person is called by a line of level error. */
export const needsPerson = (failure: Failure, meaning: FailureMeaning): boolean =>
  !failure.retryable && meaning !== 'failed'
