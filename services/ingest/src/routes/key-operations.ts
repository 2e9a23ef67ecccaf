import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  type Refusal,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { formatApiKey } from '@tidemark/schemas/api-key.ts'
import { Type } from 'typebox'
import {
  keyParameters,
  keysQuery,
  limitChangeSchema,
  limitSchema,
  newKeySchema,
  rotationSchema,
  shownKeySchema,
} from './key-schemas.ts'
import { unknownCursor, unknownKey } from './keys.ts'

const id = 'k3y5m2p8q1r7s4t6'
const nextId = 'z9x8c7v6b5n4m3a2'
const exampleKey = (ofKey: string): string => formatApiKey('live', ofKey, Buffer.alloc(32))
const wanted = { name: 'products', scopes: ['ingest'], mode: 'live' }
const shown = {
  id,
  tenant: 'acme',
  ...wanted,
  createdAt: '2026-11-21T12:00:00.000000Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
}
const limit = { tenant: 'acme', keyId: id, eventsPerSecond: 500, bytesPerSecond: null }

const secret = Type.String({ description: 'Shown this once; only its hash is kept.' })
const listOf = (items: ReturnType<typeof Type.Object>) =>
  Type.Object({
    items: Type.Array(items),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' }),
  })

const invalid = (field: string, reason: string): Refusal => ({
  status: 422,
  code: 'invalid_request',
  detail: `The body is not as expected: ${field} ${reason}.`,
  extensions: { errors: [{ field, reason }] },
})
const badPage: Refusal = {
  status: 400,
  code: 'invalid_request',
  detail: 'The query is not as expected: limit must be integer.',
  extensions: { errors: [{ field: 'limit', reason: 'must be integer' }] },
}
const refusalOf = ({
  status,
  code,
  message,
}: {
  status: number
  code: string
  message: string
}): Refusal => ({
  status,
  code,
  detail: message,
})
const notFound = refusalOf(unknownKey(id))
const refused = (...own: readonly Refusal[]) => refusals(own, keyRefusals('admin'), serverRefusals)
const asAdmin = { tags: ['Keys and limits'], ...keyWith('admin') }

const createKeyOperation: Operation = {
  method: 'POST',
  url: '/v1/keys',
  schema: {
    operationId: 'createKey',
    summary: 'Make an API key',
    description:
      'For the tenant of the key that asks. The answer is the only place where the key is shown. Repeating the request makes another key; one whose answer was lost is found in the list as never used, and revoked.',
    ...asAdmin,
    body: { ...newKeySchema, examples: [wanted] },
    response: {
      201: answer('The key.', Type.Object({ ...shownKeySchema.properties, key: secret }), {
        ...shown,
        key: exampleKey(id),
      }),
      ...refused(invalid('expiresAt', 'must lie in the future')),
    },
  },
}

const listKeysOperation: Operation = {
  method: 'GET',
  url: '/v1/keys',
  schema: {
    operationId: 'listKeys',
    summary: 'List API keys',
    description: 'Those of the tenant, revoked and expired ones too, oldest first; never a secret.',
    ...asAdmin,
    querystring: keysQuery,
    response: {
      200: answer('One page.', listOf(shownKeySchema), { items: [shown], nextCursor: null }),
      ...refused(badPage, refusalOf(unknownCursor())),
    },
  },
}

const rotateKeyOperation: Operation = {
  method: 'POST',
  url: '/v1/keys/:id/rotate',
  schema: {
    operationId: 'rotateKey',
    summary: 'Replace an API key',
    description:
      'Makes a key with the same name, scopes, mode and limits. The old one works for the overlap, and at most 20 s more. A key made for 90 days is followed by one for 90 days.',
    ...asAdmin,
    params: keyParameters,
    body: { ...rotationSchema, examples: [{ overlapSeconds: 3600 }] },
    response: {
      201: answer(
        'The new key.',
        Type.Object({
          id: Type.String(),
          key: secret,
          replaces: Type.String({ description: 'Id of the old key.' }),
          oldExpiresAt: Type.String({ format: 'date-time' }),
          expiresAt: shownKeySchema.properties.expiresAt,
        }),
        {
          id: nextId,
          key: exampleKey(nextId),
          replaces: id,
          oldExpiresAt: '2026-11-21T13:00:00.000000Z',
          expiresAt: null,
        },
      ),
      ...refused(notFound, invalid('overlapSeconds', 'is missing')),
    },
  },
}

const revokeKeyOperation: Operation = {
  method: 'DELETE',
  url: '/v1/keys/:id',
  schema: {
    operationId: 'revokeKey',
    summary: 'Revoke an API key',
    description: 'For good, and effective everywhere within 20 s. A key may revoke itself.',
    ...asAdmin,
    params: keyParameters,
    response: { 204: Type.Null({ description: 'Revoked.' }), ...refused(notFound) },
  },
}

const listLimitsOperation: Operation = {
  method: 'GET',
  url: '/v1/limits',
  schema: {
    operationId: 'listLimits',
    summary: 'List limits',
    description: 'What the tenant and each of its keys may send; who is not listed has no limit.',
    ...asAdmin,
    response: {
      200: answer('All of them.', listOf(limitSchema), { items: [limit], nextCursor: null }),
      ...refused(),
    },
  },
}

const changeLimitOperation: Operation = {
  method: 'PUT',
  url: '/v1/limits',
  schema: {
    operationId: 'changeLimit',
    summary: 'Limit an API key',
    description:
      'Sets or lifts what one key of the tenant may send; it holds within a few seconds. The limit of the tenant as a whole is set by the operator.',
    ...asAdmin,
    body: { ...limitChangeSchema, examples: [{ keyId: id, eventsPerSecond: 500 }] },
    response: {
      200: answer('The limit as it is now.', limitSchema, limit),
      ...refused(notFound, invalid('eventsPerSecond', 'must be at least 1')),
    },
  },
}

/** Of what only an admin key may do. */
export const adminOperations: readonly Operation[] = [
  createKeyOperation,
  listKeysOperation,
  rotateKeyOperation,
  revokeKeyOperation,
  listLimitsOperation,
  changeLimitOperation,
]
