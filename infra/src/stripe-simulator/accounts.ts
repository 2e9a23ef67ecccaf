import { createHash } from 'node:crypto'
import type { Charge, Customer, PaymentIntent, PaymentMethod, StripeEvent } from './stripe-objects.ts'

/** A payment method together with the test id that decides how it behaves. */
export type StoredMethod = { id: string; testId: string; object: PaymentMethod }

/** An answer kept under an idempotency key. `atMs` is on the simulator's clock. */
export type KeptAnswer = {
  key: string
  fingerprint: string
  status: number
  body: unknown
  requestId: string
  atMs: number
}

export type Change =
  | { kind: 'customer'; value: Customer }
  | { kind: 'method'; value: StoredMethod }
  | { kind: 'intent'; value: PaymentIntent }
  | { kind: 'charge'; value: Charge }
  /** `targets`: the URLs that this event must reach; fixed when it happens, as endpoints come and go. */
  | { kind: 'event'; value: StripeEvent; targets: string[] }

/** What one API key sees. Every sk_test_… key is an account of its own, so that tests never meet. */
export type Account = {
  id: string
  customers: Map<string, Customer>
  methods: Map<string, StoredMethod>
  intents: Map<string, PaymentIntent>
  charges: Map<string, Charge>
  events: Map<string, StripeEvent>
  answers: Map<string, KeptAnswer>
}

/** The key itself is not written to the journal. */
export function accountIdOf(secretKey: string): string {
  return `acct_${createHash('sha256').update(secretKey).digest('hex').slice(0, 16)}`
}

export function newAccount(id: string): Account {
  return {
    id,
    customers: new Map(),
    methods: new Map(),
    intents: new Map(),
    charges: new Map(),
    events: new Map(),
    answers: new Map(),
  }
}

/** Objects keep their place when they change, so the order of a map is the order of creation. */
export function applyChange(account: Account, change: Change): void {
  switch (change.kind) {
    case 'customer':
      account.customers.set(change.value.id, change.value)
      return
    case 'method':
      account.methods.set(change.value.id, change.value)
      return
    case 'intent':
      account.intents.set(change.value.id, change.value)
      return
    case 'charge':
      account.charges.set(change.value.id, change.value)
      return
    case 'event':
      account.events.set(change.value.id, change.value)
  }
}
