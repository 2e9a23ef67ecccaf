import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type ApplyResult, applyCatalogue } from '../catalogue/apply.ts'
import { listCustomers, listPlans, listSubscriptions } from '../catalogue/list-store.ts'
import { pageOf, pageParameters } from './pages.ts'

const closed = { additionalProperties: false }
const applyQuery = Type.Object(
  { dryRun: Type.Boolean({ default: false, description: 'Checks all and says what would change.' }) },
  closed,
)
const listQuery = Type.Object(pageParameters, closed)

/** Room for a hundred thousand customers. */
const catalogueBytes = 64 * 1024 * 1024

/** The whole catalogue at once, and each of its nouns singly: one function checks and applies them all. */
export function addCatalogueRoutes(
  server: FastifyInstance,
  { pool, clock }: { pool: Pool; clock: Clock },
  principals: Principals,
): void {
  const apply = (
    request: FastifyRequest<{ Querystring: Static<typeof applyQuery> }>,
    body: unknown,
  ): Promise<ApplyResult> => {
    const { tenant, keyId } = principals.of(request)
    return applyCatalogue(pool, clock, { tenant, actor: keyId, body, dryRun: request.query.dryRun })
  }
  const writing = {
    onRequest: principals.require('admin'),
    schema: { querystring: applyQuery },
  }
  const reading = { onRequest: principals.require('read'), schema: { querystring: listQuery } }

  server.post<{ Querystring: Static<typeof applyQuery> }>(
    '/v1/catalogue',
    { ...writing, bodyLimit: catalogueBytes },
    (request) => apply(request, request.body),
  )
  for (const noun of ['plans', 'customers', 'subscriptions'])
    server.post<{ Querystring: Static<typeof applyQuery> }>(`/v1/${noun}`, writing, (request) =>
      apply(request, { [noun]: [request.body] }),
    )

  server.get<{ Querystring: Static<typeof listQuery> }>('/v1/plans', reading, async (request) => {
    const { cursor, limit } = request.query
    const found = await listPlans(pool, principals.of(request).tenant, cursor, limit + 1)
    return pageOf(
      found,
      limit,
      ({ id }) => id,
      (plan) => plan,
    )
  })
  server.get<{ Querystring: Static<typeof listQuery> }>('/v1/customers', reading, async (request) => {
    const { cursor, limit } = request.query
    const found = await listCustomers(pool, principals.of(request).tenant, cursor, limit + 1)
    return pageOf(
      found,
      limit,
      ({ key }) => key,
      (customer) => customer,
    )
  })
  server.get<{ Querystring: Static<typeof listQuery> }>('/v1/subscriptions', reading, async (request) => {
    const { cursor, limit } = request.query
    const found = await listSubscriptions(pool, principals.of(request).tenant, cursor, limit + 1)
    return pageOf(
      found,
      limit,
      ({ key }) => key,
      (subscription) => subscription,
    )
  })
}
