import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listSubscriptions } from '../catalogue/list-store.ts'
import { addAddOnRoutes } from './add-ons.ts'
import { type ApplyQuery, apply, applyQuery, type CatalogueDeps } from './catalogue-writing.ts'
import { addCouponRoutes } from './coupons.ts'
import { addCustomerRoutes } from './customers.ts'
import { pageOf, pageParameters } from './pages.ts'
import { addPlanRoutes } from './plans.ts'
import { addSellerRoutes } from './seller.ts'

const listQuery = Type.Object(pageParameters, { additionalProperties: false })

/** Room for a hundred thousand customers. */
const catalogueBytes = 64 * 1024 * 1024

/** The whole catalogue at once, and each of its nouns singly: one function checks and applies them all. */
export function addCatalogueRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const { pool, principals } = deps
  const writing = { onRequest: principals.require('admin'), schema: { querystring: applyQuery } }

  server.post<{ Querystring: ApplyQuery }>(
    '/v1/catalogue',
    { ...writing, bodyLimit: catalogueBytes },
    (request, reply) => apply(deps, request, reply, request.body),
  )
  addSellerRoutes(server, deps)
  addPlanRoutes(server, deps)
  addAddOnRoutes(server, deps)
  addCouponRoutes(server, deps)
  addCustomerRoutes(server, deps)

  server.post<{ Querystring: ApplyQuery }>('/v1/subscriptions', writing, (request, reply) =>
    apply(deps, request, reply, { subscriptions: [request.body] }),
  )
  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/subscriptions',
    { onRequest: principals.require('read'), schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit } = request.query
      const { tenant } = principals.of(request)
      const found = await listSubscriptions(pool, tenant, { after: cursor, limit: limit + 1 })
      return pageOf(
        found,
        limit,
        ({ key }) => key,
        (subscription) => subscription,
      )
    },
  )
}
