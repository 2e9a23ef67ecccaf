import { Type } from 'typebox'
import { instant, textOrNull } from '../openapi/field.ts'
import { draftExample, draftSchema } from './invoice-schemas.ts'

// What the routes of subscriptions answer.

const terms = {
  plan: Type.String(),
  planVersion: Type.Integer(),
  quantity: Type.String({ description: 'Decimal text.' }),
  addOns: Type.Array(Type.Object({ id: Type.String(), version: Type.Integer(), quantity: Type.String() })),
}

export const subscriptionViewSchema = Type.Object({
  key: Type.String(),
  customer: Type.String(),
  state: Type.Enum(['scheduled', 'trialing', 'active', 'paused', 'canceled']),
  ...terms,
  start: instant('When it begins'),
  end: textOrNull('When it ends; null while no end is known.'),
  anchorDate: Type.String({ format: 'date', description: 'Where periods are counted from.' }),
  anchorDay: Type.Integer(),
  alignment: Type.Enum(['anchor', 'calendar']),
  trialEnd: textOrNull('When its trial ends, if it has one.'),
  nextBillingDate: textOrNull('The date of the next invoice, in the customer’s zone.'),
  billedUntil: textOrNull('End of the last period that is billed.'),
  source: Type.String(),
  billingMode: Type.Enum(['tidemark', 'old']),
  coupons: Type.Array(
    Type.Object({ coupon: Type.String(), from: instant('From'), to: textOrNull('Until before.') }),
  ),
  phases: Type.Array(
    Type.Object({
      from: instant('From'),
      to: textOrNull('Until before; null while nothing is known to follow.'),
      status: Type.Enum(['trial', 'active', 'paused']),
      ...terms,
    }),
    { description: 'What was, is and is known to come in force, end to end.' },
  ),
  revision: Type.Integer({ description: 'Raised by each change; also the etag.' }),
})

export const historySchema = Type.Object({
  at: instant('When'),
  actor: Type.String({ description: 'The API key, or the part of the service that acted.' }),
  action: Type.String({ description: 'Such as subscription.paused.' }),
  before: Type.Unknown(),
  after: Type.Unknown(),
})

export const previewSchema = Type.Object({
  usageUntil: textOrNull('Usage is complete until then; null when none is yet.'),
  next: Type.Union([draftSchema, Type.Null()]),
  changed: Type.Union([draftSchema, Type.Null()], { description: 'As it would be after the change.' }),
})

const start = '2026-10-01T00:00:00.000000Z'
const pro = { plan: 'pro', planVersion: 1, quantity: '1', addOns: [] }

export const subscriptionExample = {
  key: 'acme-pro',
  customer: 'acme',
  state: 'active',
  ...pro,
  start,
  end: null,
  anchorDate: '2026-10-01',
  anchorDay: 1,
  alignment: 'anchor',
  trialEnd: null,
  nextBillingDate: '2026-12-01',
  billedUntil: '2026-11-01T00:00:00.000000Z',
  source: 'tidemark',
  billingMode: 'tidemark',
  coupons: [],
  phases: [{ from: start, to: null, status: 'active', ...pro }],
  revision: 1,
}

export const historyExample = {
  at: '2026-11-21T12:00:00.000000Z',
  actor: 'k3y5m2p8q1r7s4t6',
  action: 'subscription.changed',
  before: null,
  after: { quantity: '2' },
}

export const previewExample = {
  usageUntil: '2026-11-21T12:00:00.000000Z',
  next: draftExample,
  changed: null,
}
