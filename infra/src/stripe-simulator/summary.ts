import type { Account } from './accounts.ts'
import type { Fault } from './faults.ts'
import type { State } from './state.ts'

/** What GET /_simulator/state answers. Amounts are minor units, as text: sums outgrow what a number holds exactly. */
export type Summary = {
  customers: number
  paymentIntents: { count: number; byStatus: Record<string, number> }
  charges: {
    captured: number
    /** Intent id to number of captured charges; anything above 1 would be a fault of the simulator. */
    capturedByIntent: Record<string, number>
    capturedMinor: Record<string, string>
  }
  events: number
  deliveries: { pending: number; delivered: number; lost: number; abandoned: number }
  faults: Fault[]
}

/** Deliveries that are finished are counted over all accounts. */
export function summarize(state: State, scope: string | null, faults: Fault[]): Summary {
  const accounts = [...state.accounts.values()].filter(({ id }) => scope === null || id === scope)
  const intents = valuesOf(accounts, (account) => account.intents)
  const captured = valuesOf(accounts, (account) => account.charges).filter((charge) => charge.captured)
  const pending = [...state.pending.values()].filter(({ account }) => scope === null || account === scope)
  const sums = new Map<string, bigint>()
  for (const { currency, amount_captured } of captured) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount_captured))
  }
  return {
    customers: valuesOf(accounts, (account) => account.customers).length,
    paymentIntents: { count: intents.length, byStatus: tally(intents.map(({ status }) => status)) },
    charges: {
      captured: captured.length,
      capturedByIntent: tally(captured.map(({ payment_intent }) => payment_intent)),
      capturedMinor: Object.fromEntries([...sums].map(([currency, sum]) => [currency, String(sum)])),
    },
    events: valuesOf(accounts, (account) => account.events).length,
    deliveries: { pending: pending.length, ...state.counts },
    faults: faults.filter(({ account }) => scope === null || account === scope || account === null),
  }
}

function valuesOf<T>(accounts: Account[], pick: (account: Account) => Map<string, T>): T[] {
  return accounts.flatMap((account) => [...pick(account).values()])
}

function tally(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
