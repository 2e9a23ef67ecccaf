import { type Account, applyChange, newAccount } from './accounts.ts'
import { type Endpoint, type Journal, type JournalLine, openJournal } from './journal.ts'
import type { StripeEvent } from './stripe-objects.ts'

/** An event on its way to one endpoint. */
export type Delivery = { account: string; event: StripeEvent; url: string }

export type State = {
  accounts: Map<string, Account>
  /** Set at run time; those of the configuration are not among them. */
  endpoints: Endpoint[]
  /** By event id and URL. */
  pending: Map<string, Delivery>
  counts: { delivered: number; lost: number; abandoned: number }
  aheadMs: number
}

export type StateStore = {
  state: State
  account(id: string): Account
  /** Milliseconds on the simulator's clock: the real time plus what POST /_simulator/clock has added. */
  nowMs(): number
  write(line: JournalLine): void
  close(): void
}

/** All that the simulator knows: what the journal says, kept in memory. */
export function openState(dataDir: string, realNowMs: () => number): StateStore {
  const state: State = {
    accounts: new Map(),
    endpoints: [],
    pending: new Map(),
    counts: { delivered: 0, lost: 0, abandoned: 0 },
    aheadMs: 0,
  }
  const journal: Journal = openJournal(dataDir, (line) => apply(state, line))
  return {
    state,
    account: (id) => accountOf(state, id),
    nowMs: () => realNowMs() + state.aheadMs,
    write: (line) => {
      journal.append(line)
      apply(state, line)
    },
    close: journal.close,
  }
}

function apply(state: State, line: JournalLine): void {
  switch (line.line) {
    case 'call': {
      const account = accountOf(state, line.account)
      for (const change of line.changes) {
        applyChange(account, change)
        if (change.kind !== 'event') continue
        for (const url of change.targets) {
          const delivery = { account: account.id, event: change.value, url }
          state.pending.set(deliveryKey(delivery), delivery)
        }
      }
      if (line.answer !== null) account.answers.set(line.answer.key, line.answer)
      return
    }
    case 'delivery':
      state.pending.delete(`${line.event} ${line.url}`)
      state.counts[line.result] += 1
      return
    case 'clock':
      state.aheadMs = line.aheadMs
      return
    case 'endpoints':
      state.endpoints = line.endpoints
  }
}

function accountOf(state: State, id: string): Account {
  const known = state.accounts.get(id)
  if (known !== undefined) return known
  const account = newAccount(id)
  state.accounts.set(id, account)
  return account
}

export function deliveryKey(delivery: Delivery): string {
  return `${delivery.event.id} ${delivery.url}`
}
