import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { readLimits, setLimit } from '../limits/limit-store.ts'
import { limitChangeSchema } from './key-schemas.ts'
import { unknownKey } from './keys.ts'

/**
 * An admin key sees all limits of its tenant and changes those of its tenant's keys. What the tenant as a whole may send
 * is its operator's to say, by `npm run keys -- limit`.
 */
export function addLimitRoutes(server: FastifyInstance, pool: Pool, principals: Principals): void {
  const onRequest = principals.require('admin')

  server.get('/v1/limits', { onRequest }, async (request) => ({
    items: await readLimits(pool, principals.of(request).tenant),
    nextCursor: null,
  }))

  server.put<{ Body: Static<typeof limitChangeSchema> }>(
    '/v1/limits',
    { onRequest, schema: { body: limitChangeSchema } },
    async (request) => {
      const { keyId, ...rates } = request.body
      const limit = await setLimit(pool, { tenant: principals.of(request).tenant, keyId, rates })
      if (!limit) throw unknownKey(keyId)
      return limit
    },
  )
}
