import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'

/** `2.9` percent as the factor 0.029. */
export function percent(rate: string): Decimal {
  const { coefficient, scale } = decimal(rate)
  return { coefficient, scale: scale + 2 }
}
