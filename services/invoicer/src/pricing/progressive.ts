import { add, type Decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'

export type ProgressiveBilling = {
  /** Amounts of the invoices within the period, in their order. */
  readonly progressiveMicros: readonly Micros[]
  /** Usage of the whole period and what recurs. */
  readonly finalFeesMicros: Micros
  /** What the invoices within the period have billed already. */
  readonly finalCreditMicros: Micros
  readonly finalTotalMicros: Micros
}

/**
 * Bills within a period as soon as what is used reaches a threshold: all usage so far less what earlier ones have billed,
 * once however many thresholds were crossed. The invoice at the period's end credits them.
 * @param rate what a quantity of the period comes to, rounded
 */
export function billProgressively(
  thresholds: readonly Micros[],
  usageSteps: readonly Decimal[],
  recurringMicros: Micros,
  rate: (quantity: Decimal) => Micros,
): ProgressiveBilling {
  const progressiveMicros: Micros[] = []
  let quantity = zero
  let billed = 0n
  let waiting = [...thresholds]
  for (const step of usageSteps) {
    quantity = add(quantity, step)
    const used = rate(quantity)
    const ahead = waiting.filter((threshold) => threshold > used)
    if (ahead.length < waiting.length && used > billed) {
      progressiveMicros.push(used - billed)
      billed = used
    }
    waiting = ahead
  }
  const finalFeesMicros = rate(quantity) + recurringMicros
  return {
    progressiveMicros,
    finalFeesMicros,
    finalCreditMicros: billed,
    finalTotalMicros: finalFeesMicros - billed,
  }
}
