import type { TaxAnswer } from '../pricing/priced-invoice.ts'
import type { NetDraft, Refusal } from './compose.ts'

/** Asks for the tax of an invoice; a provider that is away refuses it, and the period stays open. */
export type TaxSource = (tenant: string, net: NetDraft) => Promise<TaxAnswer | Refusal>

/** No tax on any line. */
export const untaxed = (lines: readonly { readonly id: string }[]): TaxAnswer => ({
  provider: 'none',
  version: '1',
  lines: lines.map(({ id }) => ({ id, taxes: [] })),
})
