import { type Decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import type { Step, TraceStep } from './rated.ts'

/** Steps keep their numbers; text is made of them only for whoever reads a trace. */
export const traceOf = (steps: readonly Step[]): TraceStep[] => steps.map(stepText)

/** Micro-units as the number of major units that a step shows. */
export const major = (micros: Micros): Decimal => ({ coefficient: micros, scale: 6 })

function stepText({ step, ...rest }: Step): TraceStep {
  const texts = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : formatDecimal(value),
  ])
  return { step, ...Object.fromEntries(texts) }
}
