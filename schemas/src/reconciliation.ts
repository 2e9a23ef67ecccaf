import { type Static, Type } from 'typebox'
import { tenantIdPattern } from './identifiers.ts'

const instant = Type.String({ format: 'date-time' })

/** A record on reconciliation.legacy: what an old billing system computed for one entity and period. */
export const legacyRecordSchema = Type.Object(
  {
    tenant: Type.String({ pattern: tenantIdPattern, description: 'The tenant’s id' }),
    kind: Type.Literal('invoice'),
    key: Type.String({
      pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$',
      description: 'The subscription’s key: 1 to 256 characters without control characters',
    }),
    period: Type.Object({ start: instant, end: instant }),
    fields: Type.Object({
      total: Type.Object({
        amount: Type.String({
          pattern: '^-?\\d{1,18}(\\.\\d{1,9})?$',
          description: 'Decimal text in major units such as 29.00, with at most 18 digits and 9 decimals',
        }),
        currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'A code of ISO 4217 such as EUR' }),
      }),
    }),
    observedAt: instant,
  },
  { additionalProperties: false },
)

export type LegacyRecord = Static<typeof legacyRecordSchema>

export const causes = [
  'exact',
  'rounding',
  'missing_in_new',
  'missing_in_old',
  'currency',
  'unexplained',
] as const
export type Cause = (typeof causes)[number]

/** A record on reconciliation.findings. */
export type Finding = {
  tenant: string
  kind: 'invoice'
  key: string
  period: { start: string; end: string }
  cause: Cause
  /** The rule that judged it, by name. */
  rule: string
  old?: { amount: string; currency: string }
  new?: { amount: string; currency: string }
  /** New minus old in major units, decimal text; of the one that is there when the other is missing. */
  difference: string
  currency: string
  judgedAt: string
}
