import { isUtf8 } from 'node:buffer'
import { fieldErrors } from '@tidemark/infra/process/field-errors.ts'
import { unstorableText } from '@tidemark/infra/process/json-text.ts'
import { explainPatterns } from '@tidemark/infra/process/pattern-reason.ts'
import { billingEventTypes, invoiceEventDataSchema } from '@tidemark/schemas/billing-event.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { legacyRecordSchema } from '@tidemark/schemas/reconciliation.ts'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Amount } from './judge.ts'

/** One side of a case: what the old or the new system says of an entity and period. Instants are RFC 3339. */
export type Side = {
  readonly side: 'old' | 'new'
  readonly tenant: string
  readonly kind: 'invoice'
  readonly key: string
  readonly periodStart: string
  readonly periodEnd: string
  readonly amount: Amount
}

/** `skip`: a record that says nothing about a case, such as a payment. */
export type ReadSide =
  | { kind: 'side'; side: Side }
  | { kind: 'skip' }
  | { kind: 'unreadable'; reason: string }

const invoiceOpenedSchema = Type.Object({ type: Type.String(), data: invoiceEventDataSchema })

/** Reads a record of reconciliation.legacy. */
export function readLegacy(value: Buffer | null): ReadSide {
  const read = readJson(value, legacyRecordSchema)
  if (read.kind === 'unreadable') return read
  const { tenant, kind, key, period, fields } = read.value
  return sideOf({
    side: 'old',
    tenant,
    kind,
    key,
    periodStart: period.start,
    periodEnd: period.end,
    amount: fields.total,
  })
}

/** Reads a record of billing.events: an invoice that opens is the new side, everything else is skipped. */
export function readBillingEvent(value: Buffer | null): ReadSide {
  const type = readJson(value, Type.Object({ type: Type.String() }))
  if (type.kind === 'unreadable') return type
  if (type.value.type !== billingEventTypes[0]) return { kind: 'skip' }
  const read = readJson(value, invoiceOpenedSchema)
  if (read.kind === 'unreadable') return read
  const { tenant, subscription, period, total, currency } = read.value.data
  return sideOf({
    side: 'new',
    tenant,
    kind: 'invoice',
    key: subscription,
    periodStart: period.start,
    periodEnd: period.end,
    amount: { amount: total, currency },
  })
}

/** As far as dates are kept everywhere. */
const latestEnd = Date.UTC(2106, 0, 1) * 1000

function sideOf(side: Side): ReadSide {
  const start = parseInstant(side.periodStart)
  const end = parseInstant(side.periodEnd)
  if (start === undefined || end === undefined)
    return { kind: 'unreadable', reason: 'period.start and period.end must be RFC 3339 instants with a zone' }
  if (start < 0 || end > latestEnd)
    return { kind: 'unreadable', reason: 'period.start and period.end must lie between 1970 and 2106' }
  if (end <= start) return { kind: 'unreadable', reason: 'period.end must be after period.start' }
  return { kind: 'side', side }
}

type ReadJson<Schema extends TSchema> =
  | { kind: 'value'; value: Static<Schema> }
  | { kind: 'unreadable'; reason: string }

function readJson<Schema extends TSchema>(bytes: Buffer | null, schema: Schema): ReadJson<Schema> {
  if (bytes === null) return { kind: 'unreadable', reason: 'the record has no value' }
  if (!isUtf8(bytes)) return { kind: 'unreadable', reason: 'the value is not UTF-8' }
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    return {
      kind: 'unreadable',
      reason: `the value is not JSON: ${error instanceof Error ? storable(error.message) : ''}`,
    }
  }
  // One such record would stop the whole partition, since PostgreSQL takes neither it nor its reason.
  const path = unstorableText(value)
  if (path !== undefined) {
    const reason = `${storable(path)} holds U+0000 or half of a surrogate pair, which cannot be stored`
    return { kind: 'unreadable', reason }
  }
  if (Value.Check(schema, value)) return { kind: 'value', value }
  const reasons = fieldErrors(explainPatterns(schema, Value.Errors(schema, value)), 'the record')
  return { kind: 'unreadable', reason: reasons.map(({ field, reason }) => `${field} ${reason}`).join('; ') }
}

const storable = (text: string): string => text.slice(0, 500).toWellFormed().replaceAll('\0', '�')
