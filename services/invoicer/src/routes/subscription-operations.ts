import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { subscriptionSchema } from '@tidemark/schemas/subscription.ts'
import { subscriptionChangeSchemas } from '@tidemark/schemas/subscription-change.ts'
import { type TSchema, Type } from 'typebox'
import {
  badRequest,
  invalidBody,
  pageOfSchema,
  revised,
  revisionConflict,
  unknown,
  withKey,
} from '../openapi/refusals.ts'
import { previewBody } from './preview.ts'
import {
  historyExample,
  historySchema,
  previewExample,
  previewSchema,
  subscriptionExample,
  subscriptionViewSchema,
} from './subscription-schemas.ts'
import { couponParams, dryRunQuery, historyQuery, listQuery, params } from './subscriptions.ts'

const tags = ['Subscriptions']
const noSubscription = unknown(
  'subscription_unknown',
  'There is no subscription "none"; GET /v1/subscriptions lists those that exist.',
)
const conflict = (code: string, detail: string) => ({ status: 409, code, detail })
const conflicts = [
  revisionConflict,
  conflict(
    'idempotency_key_reused',
    'The Idempotency-Key "k" came with another request before; use a new key for each request.',
  ),
  conflict(
    'billed_twice',
    'Nothing is done: price "calls" would bill events of meter "api_calls" a second time.',
  ),
]
const illegal = [
  conflict('illegal_transition', 'Nothing is done: the subscription is canceled.'),
  conflict('already_billed', 'Nothing is done: it is billed until 2026-11-01T00:00:00Z.'),
  conflict('interval_differs', 'Nothing is done: a plan of another interval begins at the end of a period.'),
  conflict('coupon_given', 'Nothing is done: the subscription has this coupon already.'),
]
const making = withKey(
  'admin',
  badRequest,
  ...conflicts,
  conflict(
    'subscription_exists',
    'There is a subscription "acme-pro" already; give the new one another key.',
  ),
  invalidBody,
)
const changing = withKey('admin', badRequest, noSubscription, ...conflicts, ...illegal, invalidBody)
const listed = withKey('read', badRequest)
const one = withKey('read', badRequest, noSubscription)
const previewed = withKey(
  'read',
  noSubscription,
  ...illegal,
  conflict(
    'unreadable_usage',
    'No invoice can be made of subscription "acme-pro": 2 events have no quantity.',
  ),
  invalidBody,
)

const writingHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ maxLength: 255, description: 'Sent again under it, the request is answered as before.' }),
  ),
  'if-match': Type.Optional(Type.String({ description: 'The etag that was read.' })),
})

/** A change is `POST` to the last part of its address. */
const change = (
  name: keyof typeof subscriptionChangeSchemas,
  operationId: string,
  summary: string,
  description: string,
  example: unknown,
): Operation => ({
  method: 'POST',
  url: `/v1/subscriptions/:key/${name}`,
  schema: {
    operationId,
    summary,
    description,
    ...changed(),
    body: withExample(subscriptionChangeSchemas[name], example),
  },
})

const withExample = (schema: TSchema, example: unknown): TSchema => ({ ...schema, examples: [example] })

const changed = () => ({
  tags,
  security: changing.security,
  headers: writingHeaders,
  params,
  querystring: dryRunQuery,
  response: {
    200: revised('The subscription as it is now, or would be.', subscriptionViewSchema, subscriptionExample),
    ...changing.refused,
  },
})

export const subscriptionOperations: readonly Operation[] = [
  {
    method: 'POST',
    url: '/v1/subscriptions',
    schema: {
      operationId: 'createSubscription',
      summary: 'Create a subscription',
      description:
        'It gets the newest published version of its plan and keeps it. It may start in the past or the future; each event is billed by at most one subscription per meter.',
      tags,
      security: making.security,
      headers: writingHeaders,
      querystring: dryRunQuery,
      body: withExample(subscriptionSchema, {
        key: 'acme-pro',
        customer: 'acme',
        plan: 'pro',
        start: '2026-10-01T00:00:00Z',
      }),
      response: {
        201: revised('The subscription.', subscriptionViewSchema, subscriptionExample),
        ...making.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/subscriptions',
    schema: {
      operationId: 'listSubscriptions',
      summary: 'List subscriptions',
      description: 'By key; of one customer if it is named.',
      tags,
      security: listed.security,
      querystring: listQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(subscriptionViewSchema), {
          items: [subscriptionExample],
          nextCursor: null,
        }),
        ...listed.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/subscriptions/:key',
    schema: {
      operationId: 'readSubscription',
      summary: 'Read a subscription',
      description: 'With its phases, and its revision in the etag.',
      tags,
      security: one.security,
      params,
      response: {
        200: revised('The subscription.', subscriptionViewSchema, subscriptionExample),
        ...one.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/subscriptions/:key/history',
    schema: {
      operationId: 'readSubscriptionHistory',
      summary: 'Read what became of a subscription',
      description: 'Every change from the audit log, oldest first.',
      tags,
      security: one.security,
      params,
      querystring: historyQuery,
      response: {
        200: answer('A page of it.', pageOfSchema(historySchema), {
          items: [historyExample],
          nextCursor: null,
        }),
        ...one.refused,
      },
    },
  },
  change(
    'change',
    'changeSubscription',
    'Change plan, quantity or add-ons',
    'Now, at the end of the period or at an instant that is not billed. Each part of a period is rated with its own version; of several changes on one date the last counts.',
    { plan: 'scale', effective: 'period_end' },
  ),
  change('pause', 'pauseSubscription', 'Pause a subscription', 'What a pause bills is up to its plan.', {}),
  change('resume', 'resumeSubscription', 'Resume a subscription', 'Ends a pause.', {}),
  change(
    'cancel',
    'cancelSubscription',
    'Cancel a subscription',
    'Now, which ends the period there, at the end of the period, or `never`: takes a cancellation back that has not come yet.',
    { effective: 'period_end' },
  ),
  change('extend-trial', 'extendTrial', 'Extend a trial', 'To a later instant; the audit log keeps it.', {
    until: '2026-12-01T00:00:00Z',
  }),
  change('coupons', 'giveCoupon', 'Give a coupon', 'Once each, and only while it may be redeemed.', {
    coupon: 'launch',
  }),
  {
    method: 'DELETE',
    url: '/v1/subscriptions/:key/coupons/:coupon',
    schema: {
      operationId: 'takeCouponAway',
      summary: 'Take a coupon away',
      description: 'Invoices from now on are without it; those that are made keep it.',
      ...changed(),
      params: couponParams,
    },
  },
  {
    method: 'POST',
    url: '/v1/subscriptions/:key/preview',
    schema: {
      operationId: 'previewSubscription',
      summary: 'Preview the next invoice',
      description:
        'The next invoice from live usage, and the one that a change would cause; nothing is stored. It is the same function as the close.',
      tags,
      security: previewed.security,
      params,
      body: withExample(previewBody, { plan: 'scale' }),
      response: { 200: answer('The drafts.', previewSchema, previewExample), ...previewed.refused },
    },
  },
]
