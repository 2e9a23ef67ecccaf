import type { FastifyInstance } from 'fastify'
import { addAddOnRoutes } from './add-ons.ts'
import { type ApplyQuery, apply, applyQuery, type CatalogueDeps } from './catalogue-writing.ts'
import { addCouponRoutes } from './coupons.ts'
import { addCustomerRoutes } from './customers.ts'
import { addPlanRoutes } from './plans.ts'
import { addSellerRoutes } from './seller.ts'

/** Room for a hundred thousand customers. */
const catalogueBytes = 64 * 1024 * 1024

/** The whole catalogue at once, and each of its nouns singly: one function checks and applies them all. */
export function addCatalogueRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const { principals } = deps
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
}
