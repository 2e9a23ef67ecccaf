import { externalKeyField } from '@tidemark/schemas/catalogue-fields.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { listCustomers, readCustomer } from '../catalogue/list-store.ts'
import { listSubjects, type SubjectPlace } from '../catalogue/subject-list.ts'
import { type ApplyQuery, applyItem, applyQuery, type CatalogueDeps, notFound } from './catalogue-writing.ts'
import { pageOf, pageParameters, wrongCursor } from './pages.ts'
import { tellRevision } from './revision.ts'

const closed = { additionalProperties: false }
export const customerParams = Type.Object({ key: externalKeyField })
export const listQuery = Type.Object(pageParameters, closed)
export const subjectsQuery = Type.Object(
  {
    ...pageParameters,
    customer: Type.Optional(externalKeyField),
    key: Type.Optional(externalKeyField),
  },
  closed,
)
type One = { Params: Static<typeof customerParams> }

/** Customers, and which metered keys are theirs. */
export function addCustomerRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const { pool, principals } = deps
  const reading = principals.require('read')
  const writing = principals.require('admin')
  const noun = { kind: 'customers', field: 'key' } as const

  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/customers',
    { onRequest: reading, schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit } = request.query
      const { tenant } = principals.of(request)
      const found = await listCustomers(pool, tenant, { after: cursor, limit: limit + 1 })
      return pageOf(
        found,
        limit,
        ({ key }) => key,
        (customer) => customer,
      )
    },
  )

  server.post<{ Querystring: ApplyQuery }>(
    '/v1/customers',
    { onRequest: writing, schema: { querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, noun),
  )

  server.get<One>(
    '/v1/customers/:key',
    { onRequest: reading, schema: { params: customerParams } },
    async (request, reply) => {
      const { key } = request.params
      const found = await readCustomer(pool, principals.of(request).tenant, key)
      if (!found) throw notFound('customer_unknown', 'customer', key, '/v1/customers')
      tellRevision(reply, found.revision)
      return found.item
    },
  )

  server.put<One & { Querystring: ApplyQuery }>(
    '/v1/customers/:key',
    { onRequest: writing, schema: { params: customerParams, querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, { ...noun, key: request.params.key }),
  )

  server.get<{ Querystring: Static<typeof subjectsQuery> }>(
    '/v1/subjects',
    { onRequest: reading, schema: { querystring: subjectsQuery } },
    async (request) => {
      const { cursor, limit, customer, key } = request.query
      const { tenant } = principals.of(request)
      const found = await listSubjects(pool, tenant, { customer, key }, placeOf(cursor), limit + 1)
      return pageOf(
        found,
        limit,
        (subject) => `${subject.from ?? ''}_${subject.key}`,
        (subject) => subject,
      )
    },
  )
}

/** A cursor is the time and the key of the subject that ends the page before. */
function placeOf(cursor: string): SubjectPlace | undefined {
  if (cursor === '') return undefined
  const end = cursor.indexOf('_')
  const from = cursor.slice(0, end)
  if (end >= 0 && (from === '' || parseInstant(from) !== undefined))
    return { key: cursor.slice(end + 1), from: from === '' ? null : from }
  throw wrongCursor()
}
