/** Why a subscription cannot be changed so: nothing of the change is made. */
export type Refusal = {
  /** Stable, for clients; the HTTP status follows from it, see problems.ts. */
  readonly code: RefusalCode
  /** Which field of the request is at fault, if one is. */
  readonly field?: string
  /** What is wrong and how to mend it. */
  readonly reason: string
}

export type RefusalCode =
  | 'illegal_transition'
  | 'already_billed'
  | 'interval_differs'
  | 'invalid_change'
  | 'billed_twice'
  | 'coupon_given'

export const isRefusal = (answer: object): answer is Refusal => 'reason' in answer && 'code' in answer
