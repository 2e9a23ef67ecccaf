import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { readNeed } from '../closing/billed-usage.ts'
import type { Completeness } from '../closing/completeness.ts'
import { questionsOf, withTax } from '../closing/draft-group.ts'
import { readingOf, startInvoice } from '../closing/due.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { advanceFees } from './advance.ts'
import { composeNet, type Draft, isRefusal, type Refusal } from './compose.ts'
import type { DueInvoice } from './due-invoice.ts'
import { periodFrom } from './periods.ts'
import { readSpent } from './spent-store.ts'
import { billedSubscriptions } from './store.ts'
import type { BilledSubscription } from './subscription.ts'
import type { TaxSource } from './tax.ts'

export type PreviewDeps = {
  readonly pool: Queryable
  readonly clickHouse: ClickHouse
  readonly tax: TaxSource
}

/**
 * The next invoice of a subscription as it is, or as a change would make it, from the usage that is there at the cut: the
 * same functions as the close, on one customer’s usage alone. Undefined when nothing is left to bill.
 */
export async function previewNext(
  { pool, clickHouse, tax }: PreviewDeps,
  tenant: string,
  subscription: Subscription,
  { cut }: Pick<Completeness, 'cut'>,
): Promise<Draft | Refusal | undefined> {
  const [billed] = await billedSubscriptions(pool, tenant, [subscription])
  const due = billed && nextInvoice(billed)
  if (!due) return undefined
  const [asked] = await questionsOf(pool, tenant, [due])
  const period = readingOf(due)
  const usage = await Promise.all(
    (asked?.questions ?? []).map((question) => readNeed(clickHouse, question, period, cut)),
  )
  const net = composeNet({ due, usage, spentMicros: await readSpent(pool, tenant, due) })
  if (isRefusal(net)) return net
  const [answer] = await tax(tenant, [net])
  return withTax(net, answer)
}

/** The oldest that is not claimed, whether it is due yet or not. */
export function nextInvoice(subscription: BilledSubscription): DueInvoice | undefined {
  const { billedUntil, isStartBilled, timeline } = subscription
  const window = periodFrom(subscription, billedUntil ?? timeline.start)
  if (!window) return undefined
  const asksAtStart =
    billedUntil === undefined && !isStartBilled && advanceFees(subscription, timeline.start).length > 0
  return asksAtStart
    ? startInvoice(subscription, window)
    : { subscription, kind: 'recurring', period: window.served, whole: window.whole }
}
