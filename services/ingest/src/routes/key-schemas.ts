import { scopes } from '@tidemark/schemas/api-key.ts'
import { Type } from 'typebox'
import { keyIdPattern } from '../api-keys.ts'
import { highestRate } from '../limits/limit-store.ts'

const closed = { additionalProperties: false }
export const newKeySchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1, uniqueItems: true }),
    mode: Type.Enum(['live', 'test']),
    expiresAt: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)
export const keysQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ pattern: keyIdPattern, description: 'nextCursor of the page before' }),
    ),
    limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
  },
  closed,
)
export const keyParameters = Type.Object({ id: Type.String({ maxLength: 100 }) })
/** A week to bring a new key to every product. */
const longestOverlapSeconds = 604_800
export const rotationSchema = Type.Object(
  { overlapSeconds: Type.Integer({ minimum: 0, maximum: longestOverlapSeconds }) },
  closed,
)

const rate = Type.Optional(
  Type.Union([Type.Integer({ minimum: 1, maximum: highestRate }), Type.Null()], {
    description: 'null lifts the limit; left out, it stays',
  }),
)
export const limitChangeSchema = Type.Object(
  { keyId: Type.String({ pattern: keyIdPattern }), eventsPerSecond: rate, bytesPerSecond: rate },
  closed,
)

const instantOrNull = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

/** A key as lists show it: never its secret. */
export const shownKeySchema = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  name: Type.String(),
  mode: Type.String({ description: 'live or test' }),
  scopes: Type.Array(Type.String()),
  createdAt: Type.String({ format: 'date-time' }),
  expiresAt: instantOrNull,
  revokedAt: instantOrNull,
  lastUsedAt: instantOrNull,
})

const rateOrNull = Type.Union([Type.Integer(), Type.Null()], { description: 'Null: no limit.' })

export const limitSchema = Type.Object({
  tenant: Type.String(),
  keyId: Type.Union([Type.String(), Type.Null()], { description: 'Null: all keys of the tenant together.' }),
  eventsPerSecond: rateOrNull,
  bytesPerSecond: rateOrNull,
})
