import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { isLocalDate } from '@tidemark/schemas/local-date.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { exchangeRateKey, listExchangeRates } from '../catalogue/exchange-rate-store.ts'
import { readSeller } from '../catalogue/seller-store.ts'
import { type ApplyQuery, apply, applyQuery, type CatalogueDeps } from './catalogue-writing.ts'
import { pageOf, pageParameters, wrongCursor } from './pages.ts'
import { tellRevision } from './revision.ts'

export const ratesQuery = Type.Object(
  {
    ...pageParameters,
    cursor: Type.String({
      default: '',
      pattern: '^([A-Z]{3}/[A-Z]{3}/\\d{4}-\\d\\d-\\d\\d)?$',
      description: 'The nextCursor of the page before',
    }),
  },
  { additionalProperties: false },
)

/** Who sells, and the tenant's own exchange rates. */
export function addSellerRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const { pool, principals } = deps
  const reading = principals.require('read')
  const writing = { onRequest: principals.require('admin'), schema: { querystring: applyQuery } }

  server.get('/v1/seller', { onRequest: reading }, async (request, reply) => {
    const found = await readSeller(pool, principals.of(request).tenant)
    if (!found) throw noSeller()
    tellRevision(reply, found.revision)
    return found.seller
  })

  server.put<{ Querystring: ApplyQuery }>('/v1/seller', writing, (request, reply) =>
    apply(deps, request, reply, { seller: request.body }, { kind: 'seller' }),
  )

  server.get<{ Querystring: Static<typeof ratesQuery> }>(
    '/v1/exchange-rates',
    { onRequest: reading, schema: { querystring: ratesQuery } },
    async (request) => {
      const { cursor, limit } = request.query
      // The pattern lets through dates that no calendar has.
      if (cursor !== '' && !isLocalDate(cursor.slice(8))) throw wrongCursor()
      const found = await listExchangeRates(pool, principals.of(request).tenant, cursor, limit + 1)
      return pageOf(found, limit, exchangeRateKey, (rate) => rate)
    },
  )

  server.post<{ Querystring: ApplyQuery }>('/v1/exchange-rates', writing, (request, reply) =>
    apply(deps, request, reply, { exchangeRates: [request.body] }),
  )
}

export const noSeller = (): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'seller_unknown',
    detail: 'Nobody has said who sells yet; PUT /v1/seller does.',
  })
