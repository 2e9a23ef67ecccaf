import { type Currency, isCurrency } from '@tidemark/schemas/money.ts'
import type { AttemptState } from './attempt-states.ts'

/** A payment attempt as it is stored: what was, or will be, sent under its id never changes. Instants are ISO text. */
export type Attempt = {
  /** Also the processor's idempotency key. */
  readonly id: string
  readonly tenant: string
  readonly invoiceId: string
  readonly state: AttemptState
  readonly amountMicros: bigint
  readonly currency: Currency
  readonly processorCustomerId: string
  readonly paymentMethodId: string
  readonly processorIntentId: string | null
  readonly declineCode: string | null
  /** How often it was sent, or asked about. */
  readonly tries: number
  readonly createdAt: string
}

export type AttemptRow = Omit<Attempt, 'currency'> & { currency: string }

const columns: Record<keyof Attempt, string> = {
  id: 'id',
  tenant: 'tenant',
  invoiceId: 'invoice_id',
  state: 'state',
  amountMicros: 'amount_micros',
  currency: 'currency',
  processorCustomerId: 'processor_customer_id',
  paymentMethodId: 'payment_method_id',
  processorIntentId: 'processor_intent_id',
  declineCode: 'decline_code',
  tries: 'tries',
  createdAt: 'created_at',
}

/** For SELECT and RETURNING on billing.payment_attempts named `a`; read the rows with `attemptOf`. */
export const attemptColumns = Object.entries(columns)
  .map(([name, column]) => `a.${column} AS "${name}"`)
  .join(', ')

export function attemptOf(row: AttemptRow): Attempt {
  const { currency } = row
  if (!isCurrency(currency)) throw new RangeError(`"${currency}" is no currency of the table`)
  return { ...row, currency }
}
