import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { type ApiKey, createApiKey, findApiKey, listTenantKeys, revokeApiKey } from '../api-keys.ts'
import { rotateApiKey } from '../key-rotation.ts'
import { keyParameters, keysQuery, newKeySchema, rotationSchema } from './key-schemas.ts'

/** An admin key manages the keys of its own tenant; another tenant's are not found. */
export function addKeyRoutes(
  server: FastifyInstance,
  { pool, clock }: { pool: Pool; clock: Clock },
  principals: Principals,
): void {
  const onRequest = principals.require('admin')

  server.post<{ Body: Static<typeof newKeySchema> }>(
    '/v1/keys',
    { onRequest, schema: { body: newKeySchema } },
    async (request, reply) => {
      const { expiresAt } = request.body
      if (expiresAt !== undefined) checkExpiry(expiresAt, clock)
      const { tenant } = principals.of(request)
      const { id, key } = await createApiKey(pool, { tenant, ...request.body })
      const made = await findApiKey(pool, id, tenant)
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...made, key })
    },
  )

  server.get<{ Querystring: Static<typeof keysQuery> }>(
    '/v1/keys',
    { onRequest, schema: { querystring: keysQuery } },
    async (request) => {
      const { tenant } = principals.of(request)
      const { cursor, limit } = request.query
      if (cursor !== undefined && !(await findApiKey(pool, cursor, tenant))) throw unknownCursor()
      const found = await listTenantKeys(pool, tenant, { after: cursor, limit: limit + 1 })
      const items: ApiKey[] = found.slice(0, limit)
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
    },
  )

  server.post<{ Params: Static<typeof keyParameters>; Body: Static<typeof rotationSchema> }>(
    '/v1/keys/:id/rotate',
    { onRequest, schema: { params: keyParameters, body: rotationSchema } },
    async (request, reply) => {
      const { id } = request.params
      const order = { id, tenant: principals.of(request).tenant, overlapSeconds: request.body.overlapSeconds }
      const rotated = await rotateApiKey(pool, order)
      if (!rotated) throw unknownKey(id)
      return reply.code(201).header('cache-control', 'no-store').send(rotated)
    },
  )

  server.delete<{ Params: Static<typeof keyParameters> }>(
    '/v1/keys/:id',
    { onRequest, schema: { params: keyParameters } },
    async (request, reply) => {
      const { id } = request.params
      if (!(await revokeApiKey(pool, id, principals.of(request).tenant))) throw unknownKey(id)
      return reply.code(204).send()
    },
  )
}

export const unknownKey = (id: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'key_not_found',
    detail: `This tenant has no valid key "${id}"; GET /v1/keys lists them, a key's id has 16 characters.`,
  })

export const unknownCursor = (): HttpProblem =>
  new HttpProblem({
    status: 400,
    code: 'cursor_unknown',
    detail: 'This cursor comes from no list of this tenant; start again without one.',
  })

/** @throws HttpProblem 422 */
function checkExpiry(text: string, clock: Clock): void {
  const instant = parseInstant(text)
  if (instant !== undefined && instant > clock.nowMicros()) return
  const reason = instant === undefined ? 'must be an RFC 3339 instant with a zone' : 'must lie in the future'
  throw new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `The body is not as expected: expiresAt ${reason}.`,
    extensions: { errors: [{ field: 'expiresAt', reason }] },
  })
}
