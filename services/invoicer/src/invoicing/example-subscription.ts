import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { noReadings } from '../closing/readings.ts'
import type { Phase } from '../subscriptions/timeline.ts'
import { completeDraft, composeNet, isRefusal } from './compose.ts'
import type { DueInvoice } from './due-invoice.ts'
import { periodFrom } from './periods.ts'
import { type BilledSubscription, versionKey } from './subscription.ts'
import type { Taxed } from './tax.ts'
import { type UsageNeed, usageNeeds } from './usage-needs.ts'

// What unit tests of this room make their subscriptions and invoices of.

export const at = (text: string): Micros1970 =>
  parseInstant(text.length === 10 ? `${text}T00:00:00Z` : `${text}Z`) ?? Number.NaN

export const plan = (id: string, prices: Plan['prices'], more: Partial<Plan> = {}): Plan => ({
  id,
  name: id,
  currency: 'EUR',
  prices,
  ...more,
})

export type Stage = { from: string; plan: string } & Partial<
  Pick<Phase, 'status' | 'quantity' | 'addOns' | 'anchor'>
>

/** A subscription that is what its stages say, one after the other, in UTC unless told otherwise. */
export function subscribed(
  plans: readonly Plan[],
  stages: readonly Stage[],
  { end, day, ...more }: { end?: string; day?: number } & Partial<BilledSubscription> = {},
): BilledSubscription {
  const start = at(stages[0]?.from ?? '')
  const ended = end === undefined ? Infinity : at(end)
  const date = (stages[0]?.from ?? '').slice(0, 10)
  return {
    key: 's',
    customer: 'c',
    currency: 'EUR',
    timeZone: 'UTC',
    plans: new Map(
      plans.map((each) => [versionKey(each.id, 1), { id: each.id, version: 1, sha256: '', plan: each }]),
    ),
    addOns: new Map(),
    coupons: [],
    mappings: [],
    billedUntil: undefined,
    isStartBilled: false,
    timeline: {
      start,
      end: ended,
      anchor: { date, day: day ?? Number(date.slice(8)), alignment: 'anchor' },
      phases: stages.map((stage, index) => {
        const { from, plan: id, ...rest } = stage
        const next = stages[index + 1]
        const to = next ? at(next.from) : ended
        const base = { status: 'active' as const, quantity: decimal('1'), addOns: [] }
        return { ...base, ...rest, from: at(from), to, plan: id, planVersion: 1 }
      }),
    },
    ...more,
  }
}

export const dueAt = (
  subscription: BilledSubscription,
  start: string,
  kind: DueInvoice['kind'] = 'recurring',
): DueInvoice => {
  const found = periodFrom(subscription, at(start))
  if (!found) throw new Error('nothing is in force there')
  return { subscription, kind, period: found.served, whole: found.whole }
}

const meter: MeterVersion = {
  tenant: 't',
  version: 1,
  key: 'calls',
  eventType: 'call',
  aggregation: 'sum',
  valuePath: 'n',
}
const untaxed = (lines: readonly { id: string }[]): Taxed => ({
  answer: { provider: 'none', version: '1', lines: lines.map(({ id }) => ({ id, taxes: [] })) },
  requestSha256: '',
})

/** Composes with as much usage of each need as the function says, without tax. */
export function compose(due: DueInvoice, used: (need: UsageNeed) => string = () => '0', spent = 0n) {
  const { subscription, period: served, whole } = due
  const usage = (due.kind === 'advance' ? [] : usageNeeds(subscription, { served, whole })).map((need) => {
    const readings = { ...noReadings, count: 1n, sum: decimal(used(need)) }
    return {
      need,
      meter: { ...meter, key: need.meter },
      mappings: [],
      count: 1n,
      hash: 0n,
      unreadable: 0n,
      readings,
      groups: [],
      events: undefined,
    }
  })
  const net = composeNet({ due, usage, spentMicros: spent })
  const draft = isRefusal(net) ? net : completeDraft(net, untaxed(net.net.lines))
  if (isRefusal(draft)) throw new Error(`${draft.code}: ${draft.reason}`)
  return draft
}

/** `fee base 2026-10-01 2026-11-01 20.00` for each line, dates alone where a day begins. */
export const shown = (draft: ReturnType<typeof compose>): string[] =>
  draft.lines.map(({ kind, price, service, amountMicros }) =>
    [kind, price, short(service.start), short(service.end), formatMicros(amountMicros, 'EUR')].join(' '),
  )

const short = (instant: Micros1970): string =>
  new Date(instant / 1000).toISOString().slice(0, 16).replace('T00:00', '')

export const seats = (count: string): { quantity: Decimal } => ({ quantity: decimal(count) })
