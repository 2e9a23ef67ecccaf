import type { TaxAnswer } from '../pricing/priced-invoice.ts'
import type { NetDraft } from './compose.ts'
import type { RefusalReason } from './refusal.ts'

/** What a provider said of an invoice, and which request it answered: both stand in the certificate. */
export type Taxed = { readonly answer: TaxAnswer; readonly requestSha256: string }

/** Asks for the taxes of invoices, one answer for each in their order; a provider that is away refuses some. */
export type TaxSource = (
  tenant: string,
  drafts: readonly NetDraft[],
) => Promise<readonly (Taxed | RefusalReason)[]>

/** No tax on any line. */
export const untaxed: TaxSource = async (_tenant, drafts) =>
  drafts.map(({ net }) => ({
    answer: {
      provider: 'none',
      version: '1',
      lines: net.lines.map(({ id }) => ({ id, taxes: [] })),
    },
    requestSha256: '',
  }))
