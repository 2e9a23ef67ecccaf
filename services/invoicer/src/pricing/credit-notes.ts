import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { percentOfMicros } from './fraction.ts'

/** What was charged at one rate, of which notes give parts back. */
export type CreditedCharge = { readonly netMicros: Micros; readonly taxRate: Decimal }

export type CreditNoteAmounts = {
  readonly netMicros: Micros
  readonly taxMicros: Micros
  readonly totalMicros: Micros
}

/** The charge itself: tax once, on its net. */
export const chargedAmounts = (
  { netMicros, taxRate }: CreditedCharge,
  currency: Currency,
): CreditNoteAmounts => amountsOf(netMicros, percentOfMicros(netMicros, taxRate, currency))

/**
 * Notes one after the other: each one's net is rounded already, its tax is charged on that and rounded. The note that
 * gives back the last of the net gives back the last of the tax, so that a charge credited in parts is credited whole.
 * Neither ever exceeds what is left.
 */
export function creditNotes(
  charge: CreditedCharge,
  nets: readonly Micros[],
  currency: Currency,
): CreditNoteAmounts[] {
  let left = chargedAmounts(charge, currency)
  return nets.map((requested) => {
    const net = least(requested, left.netMicros)
    const tax = percentOfMicros(net, charge.taxRate, currency)
    const taxMicros = net === left.netMicros ? left.taxMicros : least(tax, left.taxMicros)
    left = amountsOf(left.netMicros - net, left.taxMicros - taxMicros)
    return amountsOf(net, taxMicros)
  })
}

/** What can be credited: at most what was paid less earlier credits, never below zero. */
export function cappedCredit(requestedMicros: Micros, paidMicros: Micros, alreadyMicros: Micros): Micros {
  const amount = least(requestedMicros, paidMicros - alreadyMicros)
  return amount > 0n ? amount : 0n
}

const amountsOf = (netMicros: Micros, taxMicros: Micros): CreditNoteAmounts => ({
  netMicros,
  taxMicros,
  totalMicros: netMicros + taxMicros,
})

const least = (a: Micros, b: Micros): Micros => (a < b ? a : b)
