import { readFileSync } from 'node:fs'
import type { Currency } from '@tidemark/schemas/money.ts'

export type Fields = Record<string, string>
export type Item = { id: string; type: string; quantity: string; unitPrice: string; period?: unknown }
/** A vector of the kinds that a subscription can live. */
export type Vector = {
  id: string
  kind: string
  currency: Currency
  convention?: Record<string, unknown>
  expected: { [field: string]: unknown; lines?: (Fields & { id: string })[] }
  price?: Record<string, unknown> & { model: string }
  usage?: string
  usageRounding?: { mode: string; precision: string }
  usagePartitions?: string[][]
  usageByUnit?: Fields
  events?: (string | { value: string; properties: Fields })[]
  segments?: { amount?: string; period: Span; service: Span & { trialDays?: string } }[]
  period?: Span
  changeOn?: string
  from?: Item[]
  to?: Item[]
  lines?: (Fields & { id: string; taxes?: string[]; period?: Span; service?: Span })[]
  discounts?: { id: string; type: string; value: string; appliesTo?: string[] }[]
  taxes?: { id: string; rate: string }[]
  commitment?: { minimum?: string; maximum?: string; period?: Span; service?: Span; pricingUnitRate?: string }
  taxInclusive?: boolean
}
type Span = { start: string; end: string }

const file = new URL('../../services/invoicer/golden/pricing-vectors.json', import.meta.url)
export const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))
