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

/** Whatever is not in the table, a mismatch of parameters under a used key for example, may have moved money. */
export const meaningOf = ({ code }: Failure): FailureMeaning => meanings[code] ?? 'unknown'

/** What waiting does not mend, so that a person is called by a line of level error. */
export const needsPerson = (failure: Failure): boolean =>
  !failure.retryable && meaningOf(failure) !== 'failed'
