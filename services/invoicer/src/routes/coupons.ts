import { keyField } from '@tidemark/schemas/catalogue-fields.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { readCoupons } from '../catalogue/coupon-store.ts'
import { listCoupons } from '../catalogue/list-store.ts'
import { type ApplyQuery, applyItem, applyQuery, type CatalogueDeps, notFound } from './catalogue-writing.ts'
import { pageOf, pageParameters } from './pages.ts'
import { tellRevision } from './revision.ts'

export const couponParams = Type.Object({ id: keyField })
const listQuery = Type.Object(pageParameters, { additionalProperties: false })
type One = { Params: Static<typeof couponParams> }

/** Coupons: what they are worth never changes. */
export function addCouponRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const { pool, principals } = deps
  const reading = principals.require('read')
  const writing = principals.require('admin')
  const noun = { kind: 'coupons', field: 'id' } as const

  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/coupons',
    { onRequest: reading, schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit } = request.query
      const { tenant } = principals.of(request)
      const found = await listCoupons(pool, tenant, { after: cursor, limit: limit + 1 })
      return pageOf(
        found,
        limit,
        ({ id }) => id,
        (coupon) => coupon,
      )
    },
  )

  server.post<{ Querystring: ApplyQuery }>(
    '/v1/coupons',
    { onRequest: writing, schema: { querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, noun),
  )

  server.get<One>(
    '/v1/coupons/:id',
    { onRequest: reading, schema: { params: couponParams } },
    async (request, reply) => {
      const { id } = request.params
      const found = (await readCoupons(pool, principals.of(request).tenant, [id])).get(id)
      if (!found) throw notFound('coupon_unknown', 'coupon', id, '/v1/coupons')
      tellRevision(reply, found.revision)
      return found.coupon
    },
  )

  server.put<One & { Querystring: ApplyQuery }>(
    '/v1/coupons/:id',
    { onRequest: writing, schema: { params: couponParams, querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, { ...noun, key: request.params.id }),
  )
}
