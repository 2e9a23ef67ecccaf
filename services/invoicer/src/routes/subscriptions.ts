import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { subscriptionSchema } from '@tidemark/schemas/subscription.ts'
import {
  type ChangeRequest,
  type CouponRequest,
  type EffectiveRequest,
  type ExtendTrialRequest,
  subscriptionChangeSchemas,
} from '@tidemark/schemas/subscription-change.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, type TObject, Type } from 'typebox'
import type { Answer } from '../idempotency.ts'
import type { Asked, SubscriptionDeps } from '../subscriptions/asked.ts'
import { listHistory } from '../subscriptions/history-store.ts'
import { makeSubscription } from '../subscriptions/make.ts'
import { performRequest } from '../subscriptions/perform.ts'
import { readPriceLists } from '../subscriptions/price-list-store.ts'
import { unknownSubscription } from '../subscriptions/problems.ts'
import type { SubscriptionRequest } from '../subscriptions/requests.ts'
import { readSubscriptions, type Selection } from '../subscriptions/store.ts'
import { showSubscription } from '../subscriptions/view.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'
import { pageOf, pageParameters } from './pages.ts'
import { expectedRevision, tellRevision } from './revision.ts'

const closed = { additionalProperties: false }
const keyField = Type.String({ minLength: 1, maxLength: 256, description: 'The subscription’s key' })
export const params = Type.Object({ key: keyField })
export const couponParams = Type.Object({
  key: keyField,
  coupon: Type.String({ minLength: 1, maxLength: 63 }),
})
export const listQuery = Type.Object(
  {
    ...pageParameters,
    customer: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Only this one’s' })),
  },
  closed,
)
export const historyQuery = Type.Object(
  { ...pageParameters, cursor: Type.String({ default: '', pattern: '^\\d{0,18}$' }) },
  closed,
)
export const dryRunQuery = Type.Object(
  { dryRun: Type.Boolean({ default: false, description: 'Answers what would be, and stores nothing' }) },
  closed,
)

type DryRun = Static<typeof dryRunQuery>
type Params = Static<typeof params>
type Changing<Body> = { Params: Params; Querystring: DryRun; Body: Body }

/** Subscriptions: made, changed, read, and what became of them. */
export function addSubscriptionRoutes(
  server: FastifyInstance,
  deps: SubscriptionDeps,
  principals: Principals,
): void {
  const { pool, clock } = deps
  const reading = { onRequest: principals.require('read') }
  const writing = { onRequest: principals.require('admin') }
  const askedBy = (request: FastifyRequest<{ Querystring: DryRun }>): Asked => {
    const { tenant, keyId } = principals.of(request)
    return {
      tenant,
      actor: keyId,
      idempotencyKey: idempotencyKeyOf(request),
      expected: expectedRevision(request),
      dryRun: request.query.dryRun,
    }
  }

  server.post<{ Body: Static<typeof subscriptionSchema>; Querystring: DryRun }>(
    '/v1/subscriptions',
    { ...writing, schema: { body: subscriptionSchema, querystring: dryRunQuery } },
    async (request, reply) => send(reply, await makeSubscription(deps, askedBy(request), request.body)),
  )

  const perform = async (
    request: FastifyRequest<{ Querystring: DryRun; Params: Params }>,
    reply: FastifyReply,
    change: SubscriptionRequest,
  ) => send(reply, await performRequest(deps, askedBy(request), request.params.key, change))

  const address = '/v1/subscriptions/:key'
  const changing = (body: TObject) => ({
    ...writing,
    preValidation: takeNoBody,
    schema: { params, querystring: dryRunQuery, body },
  })
  const schemas = subscriptionChangeSchemas
  server.post<Changing<ChangeRequest>>(`${address}/change`, changing(schemas.change), (request, reply) =>
    perform(request, reply, { operation: 'change', body: request.body }),
  )
  for (const operation of ['pause', 'resume'] as const)
    server.post<Changing<EffectiveRequest>>(
      `${address}/${operation}`,
      changing(schemas[operation]),
      (request, reply) => perform(request, reply, { operation, body: request.body }),
    )
  server.post<Changing<EffectiveRequest>>(`${address}/cancel`, changing(schemas.cancel), (request, reply) =>
    perform(request, reply, { operation: 'cancel', body: request.body }),
  )
  server.post<Changing<ExtendTrialRequest>>(
    `${address}/extend-trial`,
    changing(schemas['extend-trial']),
    (request, reply) => perform(request, reply, { operation: 'extend-trial', body: request.body }),
  )
  server.post<Changing<CouponRequest>>(`${address}/coupons`, changing(schemas.coupons), (request, reply) =>
    perform(request, reply, { operation: 'coupons', body: request.body }),
  )
  server.delete<{ Params: Static<typeof couponParams>; Querystring: DryRun }>(
    `${address}/coupons/:coupon`,
    { ...writing, schema: { params: couponParams, querystring: dryRunQuery } },
    (request, reply) =>
      perform(request, reply, { operation: 'remove-coupon', body: { coupon: request.params.coupon } }),
  )

  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/subscriptions',
    { ...reading, schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit, customer } = request.query
      const { tenant } = principals.of(request)
      const found = await show(pool, tenant, { after: cursor, customer, limit: limit + 1 }, clock.nowMicros())
      return pageOf(
        found,
        limit,
        ({ key }) => key,
        ({ shown }) => shown,
      )
    },
  )
  server.get<{ Params: Params }>(address, { ...reading, schema: { params } }, async (request, reply) => {
    const { key } = request.params
    const { tenant } = principals.of(request)
    const [found] = await show(pool, tenant, { keys: [key] }, clock.nowMicros())
    if (!found) throw unknownSubscription(key)
    tellRevision(reply, found.revision)
    return found.shown
  })
  server.get<{ Params: Params; Querystring: Static<typeof historyQuery> }>(
    `${address}/history`,
    { ...reading, schema: { params, querystring: historyQuery } },
    async (request) => {
      const { key } = request.params
      const { cursor, limit } = request.query
      const { tenant } = principals.of(request)
      const [known] = await readSubscriptions(pool, tenant, { keys: [key] })
      if (!known) throw unknownSubscription(key)
      const found = await listHistory(pool, tenant, key, { after: cursor, limit: limit + 1 })
      return pageOf(
        found,
        limit,
        ({ id }) => `${id}`,
        ({ id: _, ...entry }) => entry,
      )
    },
  )
}

/** A change whose fields all have defaults may come without a body. */
async function takeNoBody(request: FastifyRequest): Promise<void> {
  request.body ??= {}
}

function send(reply: FastifyReply, { status, body, isRepeated }: Answer & { isRepeated: boolean }) {
  if (isRepeated) reply.header('idempotent-replayed', 'true')
  if (typeof body === 'object' && body !== null && 'revision' in body)
    reply.header('etag', `"${body.revision}"`)
  return reply.code(status).send(body)
}

async function show(queryable: Queryable, tenant: string, selection: Selection, now: number) {
  const subscriptions = await readSubscriptions(queryable, tenant, selection)
  const lists = await readPriceLists(
    queryable,
    tenant,
    subscriptions.map(({ timeline }) => timeline),
  )
  return subscriptions.map((each) => ({
    key: each.key,
    revision: each.revision,
    shown: showSubscription(each, lists, now),
  }))
}
