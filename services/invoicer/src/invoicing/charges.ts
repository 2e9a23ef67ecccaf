import { phaseAt } from '../subscriptions/timeline.ts'
import { advanceChanges, advanceFees } from './advance.ts'
import type { DueInvoice } from './due-invoice.ts'
import { arrearsFees } from './fees.ts'
import type { Charge, UnnamedCharge } from './line.ts'
import { usageLines } from './usage-lines.ts'
import { pricesUntil, type ReadUsage } from './usage-needs.ts'

/**
 * All charges of an invoice. At the end of a period: its usage and its fees in arrears, in the order of the plan’s prices,
 * what changes have made of its fees in advance, and the fees in advance of the period that begins. At the start of a
 * subscription the last alone.
 */
export const chargesOf = (due: DueInvoice, read: ReadonlyMap<string, ReadUsage>): Charge[] =>
  inOrder(due, read).map((charge, index) => ({ ...charge, id: `line-${index + 1}` }))

function inOrder(due: DueInvoice, read: ReadonlyMap<string, ReadUsage>): UnnamedCharge[] {
  const { subscription, kind, period: served, whole } = due
  if (kind === 'advance') return advanceFees(subscription, served.start)
  const period = { served, whole }
  const prices = pricesUntil(subscription, served)
  const order = new Map(prices.map(({ key }, index) => [key, index]))
  const ended = [
    ...usageLines(subscription, period, read),
    ...arrearsFees(
      subscription,
      period,
      prices.filter(({ role }) => role === 'arrears'),
    ),
  ].sort((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0) || a.service.start - b.service.start)
  const goesOn = phaseAt(subscription.timeline, served.end) !== undefined
  return [
    ...ended,
    ...advanceChanges(subscription, period),
    ...(goesOn ? advanceFees(subscription, served.end) : []),
  ]
}

/** Whether an invoice has fees in advance alone: it waits for no usage. */
export const isInAdvance = ({ kind }: DueInvoice): boolean => kind === 'advance'
