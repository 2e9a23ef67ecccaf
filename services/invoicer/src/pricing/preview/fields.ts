import { keyPattern, keyText } from '@tidemark/schemas/identifiers.ts'
import { currencies } from '@tidemark/schemas/money.ts'
import { type TProperties, Type } from 'typebox'

export const closed = { additionalProperties: false }

/** Enough for a quantity that went through another system's floats. */
export const quantityField = Type.String({
  pattern: '^\\d{1,29}(\\.\\d{1,30})?$',
  description: 'Decimal text such as 1000 or 0.5, with at most 29 digits before and 30 behind the point',
})

export const signedField = Type.String({
  pattern: '^-?\\d{1,29}(\\.\\d{1,30})?$',
  description: 'Decimal text such as 1000 or -0.5, with at most 29 digits before and 30 behind the point',
})

/** Above zero, since something is divided by it. */
export const rateField = Type.String({
  pattern: '^(?=.*[1-9])\\d{1,12}(\\.\\d{1,12})?$',
  description: 'Decimal text above zero, such as 0.25, with at most 12 decimals',
})

export const percentField = Type.String({
  pattern: '^\\d{1,4}(\\.\\d{1,12})?$',
  description: 'Percent as decimal text, such as 8.875, with at most 12 decimals',
})

export const countField = Type.String({
  pattern: '^\\d{1,9}$',
  description: 'Whole number as text, such as 3',
})

export const idField = Type.String({ minLength: 1, maxLength: 128 })

export const dateField = Type.String({ maxLength: 40, description: 'Date such as 2026-03-01' })

export const instantField = Type.String({ maxLength: 40, description: 'RFC 3339 with a zone' })

export const periodField = Type.Object(
  { start: dateField, end: dateField },
  { ...closed, description: 'Half-open: from the start until before the end' },
)

export const timeZoneField = Type.Optional(
  Type.String({ maxLength: 64, description: 'IANA name such as Europe/Berlin; UTC by default' }),
)

export const dayCountField = Type.Optional(
  Type.Enum(['half-open', 'inclusive', 'fixed30', 'second'], {
    description: 'How parts of a period are counted; half-open by default',
  }),
)

export const taxIdsField = Type.Optional(Type.Array(idField, { maxItems: 10 }))

/** How much one preview takes: it is computed while others wait. */
export const most = {
  lines: 200,
  discounts: 20,
  events: 500,
  parts: 100,
  repetitions: 10_000,
} as const

/** What every vector has beside its input, taken and not looked at, so that one can be sent as it stands. */
const ignored = {
  id: Type.Optional(idField),
  category: Type.Optional(Type.String({ maxLength: 64 })),
  source: Type.Optional(Type.String({ maxLength: 64 })),
  optional: Type.Optional(Type.Boolean()),
  note: Type.Optional(Type.String({ maxLength: 1_000 })),
  expected: Type.Optional(Type.Object({}, { description: 'Not looked at' })),
}

/** The body of one kind. */
export const bodyOf = <Kind extends string, Fields extends TProperties>(kind: Kind, fields: Fields) =>
  Type.Object(
    {
      kind: Type.Literal(kind),
      currency: Type.Enum(currencies, { title: 'Currency' }),
      ...ignored,
      ...fields,
    },
    closed,
  )

export const keyField = Type.String({ pattern: keyPattern, description: keyText })
