import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { termOf } from '../invoicing/commitments.ts'
import type { Draft, DraftLine } from '../invoicing/compose.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'
import { readSpent } from '../invoicing/spent-store.ts'
import { redemptionsOf } from './rows.ts'

/** What the later periods of a subscription have to know of the earlier ones of the same run. */
export type Progress = {
  /** Those whose subscription is not held. */
  open(due: readonly DueInvoice[]): DueInvoice[]
  /** Their later periods wait with them. */
  hold(due: readonly DueInvoice[]): void
  add(drafts: readonly Draft[]): void
  /** The coupons with what the run itself has redeemed. */
  withRedemptions(due: DueInvoice): DueInvoice
  /** What earlier invoices have charged of the term that ends with the period. */
  spentOf(due: DueInvoice): Promise<Micros>
}

/** A dry run stores nothing, so that what it has drafted is remembered here. */
export function createProgress(
  queryable: Queryable,
  { tenant, dryRun }: { tenant: string; dryRun: boolean },
): Progress {
  const held = new Set<string>()
  const redeemed = new Map<string, number>()
  const drafted = new Map<string, DraftLine[]>()
  const couponKey = (subscription: string, coupon: string) => `${subscription}\n${coupon}`
  return {
    open: (due) => due.filter(({ subscription }) => !held.has(subscription.key)),
    hold(due) {
      for (const { subscription } of due) held.add(subscription.key)
    },
    add(drafts) {
      for (const draft of drafts) {
        const { key } = draft.due.subscription
        for (const { coupon, sequence } of redemptionsOf(draft))
          redeemed.set(couponKey(key, coupon), sequence)
        if (dryRun) drafted.set(key, [...(drafted.get(key) ?? []), ...draft.lines])
      }
    },
    withRedemptions(due) {
      const { subscription } = due
      const coupons = subscription.coupons.map((each) => ({
        ...each,
        redemptions: redeemed.get(couponKey(subscription.key, each.coupon.id)) ?? each.redemptions,
      }))
      return { ...due, subscription: { ...subscription, coupons } }
    },
    async spentOf(due) {
      const stored = await readSpent(queryable, tenant, due)
      const term =
        due.kind === 'advance'
          ? undefined
          : termOf(due.subscription, { served: due.period, whole: due.whole })
      if (!term) return stored
      return (drafted.get(due.subscription.key) ?? [])
        .filter(({ service }) => term.from <= service.start && service.start < term.to)
        .reduce((sum, { amountMicros, capMicros }) => sum + amountMicros + capMicros, stored)
    },
  }
}
