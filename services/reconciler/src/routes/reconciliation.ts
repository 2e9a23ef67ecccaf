import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { causes } from '@tidemark/schemas/reconciliation.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listFindings, summarise } from '../summary.ts'

export type RouteDeps = { pool: Pool; principals: Principals }

const closed = { additionalProperties: false }
const findingsQuery = Type.Object(
  {
    cause: Type.Optional(Type.Enum([...causes])),
    cursor: Type.String({
      default: '0',
      pattern: '^\\d{1,18}$',
      description: 'The nextCursor of an earlier answer',
    }),
    limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
  },
  closed,
)

/** `GET /v1/reconciliation/summary` and `GET /v1/reconciliation/findings`: the tenant of the API key, nobody else's. */
export function addReconciliationRoutes(server: FastifyInstance, { pool, principals }: RouteDeps): void {
  const readers = { onRequest: principals.require('read') }
  server.get(
    '/v1/reconciliation/summary',
    { ...readers, schema: { querystring: Type.Object({}, closed) } },
    async (request) => summarise(pool, principals.of(request).tenant),
  )

  server.get<{ Querystring: Static<typeof findingsQuery> }>(
    '/v1/reconciliation/findings',
    { ...readers, schema: { querystring: findingsQuery } },
    async (request) => {
      const { cause, cursor, limit } = request.query
      return listFindings(pool, principals.of(request).tenant, { cause, after: BigInt(cursor), limit })
    },
  )
}
