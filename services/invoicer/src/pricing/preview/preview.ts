import { Type } from 'typebox'
import { aggregationPreview } from './aggregations.ts'
import { calendarPreview } from './calendars.ts'
import { creditCapPreview, creditNotePreview } from './credit-notes.ts'
import { invoicePreview } from './invoices.ts'
import { checker, type Previewed, type PreviewKind } from './kind.ts'
import { planChangePreview } from './plan-changes.ts'
import { commitmentPreview, pricePreview } from './prices.ts'
import { progressivePreview } from './progressives.ts'
import { prorationPreview } from './prorations.ts'
import { roundingPreview } from './roundings.ts'
import { walletPreview } from './wallets.ts'

/** Every kind of calculation that can be previewed, by its name in the golden file. */
export const previewKinds = {
  aggregation: aggregationPreview,
  calendar: calendarPreview,
  commitment: commitmentPreview,
  'credit-cap': creditCapPreview,
  'credit-note': creditNotePreview,
  invoice: invoicePreview,
  'plan-change': planChangePreview,
  price: pricePreview,
  progressive: progressivePreview,
  proration: prorationPreview,
  rounding: roundingPreview,
  wallet: walletPreview,
} as const satisfies Record<string, PreviewKind>

type KindName = keyof typeof previewKinds
export const previewKindNames = Object.keys(previewKinds) as KindName[]

const outer = checker(Type.Object({ kind: Type.Enum(previewKindNames) }))

/** Answers one calculation, or everything that is wrong with its input. Pure: nothing is read and nothing is stored. */
export function previewPricing(body: unknown): Previewed {
  const checked = outer(body, '')
  return 'faults' in checked ? checked : previewKinds[checked.value.kind].preview(body)
}
