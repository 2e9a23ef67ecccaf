import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { type TSchema, Type } from 'typebox'
import { badRequest, unknown, withKey } from '../openapi/refusals.ts'
import { unbilledReasons } from '../unbilled/coverage.ts'
import { unbilledQuery } from './unbilled.ts'

const reader = withKey(
  'read',
  badRequest,
  unknown(
    'meter_unknown',
    'There is no meter "cals"; the aggregator\'s GET /v1/meters lists those that exist.',
  ),
)
const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()])
const events = Type.Integer({ description: 'How many events.' })
const total = {
  events,
  quantity: orNull(Type.String({ description: 'Null for meters whose parts do not add up to a whole.' })),
}

const itemSchema = Type.Object({
  subject: Type.String(),
  meter: Type.String(),
  reason: Type.Enum([...unbilledReasons]),
  customer: orNull(Type.String()),
  subscription: orNull(Type.String()),
  events,
  unreadable: Type.Integer({ description: 'Of them, those whose value is no quantity.' }),
  quantity: orNull(Type.String({ description: 'What the meter makes of these events.' })),
})

const accountSchema = Type.Object({
  meter: Type.String(),
  version: Type.Integer(),
  metered: Type.Object(total, { description: 'All that the meter counted: billed and unbilled together.' }),
  billed: Type.Object(total),
  unbilled: Type.Object({ ...total, reasons: Type.Record(Type.String(), Type.Object(total)) }),
})

const counted = (count: number) => ({ events: count, quantity: `${count}` })

const example = {
  period: { start: '2026-10-01T00:00:00.000000Z', end: '2026-11-01T00:00:00.000000Z' },
  usageUntil: '2026-11-10T09:00:00.000000Z',
  meters: [
    {
      meter: 'api_calls',
      version: 1,
      metered: counted(1000),
      billed: counted(988),
      unbilled: { ...counted(12), reasons: { unknown_subject: counted(12) } },
    },
  ],
  items: [
    {
      subject: 'key-of-nobody',
      meter: 'api_calls',
      reason: 'unknown_subject',
      customer: null,
      subscription: null,
      events: 12,
      unreadable: 0,
      quantity: '12',
    },
  ],
  nextCursor: null,
}

export const unbilledOperation: Operation = {
  method: 'GET',
  url: '/v1/usage/unbilled',
  schema: {
    operationId: 'listUnbilledUsage',
    summary: 'List unbilled usage',
    description:
      'What meters counted in a time and no subscription bills, by subject, with the reason: the subject belongs to nobody, the customer has no subscription then, no price is on the meter, a trial or a pause in which the plan bills nothing, or no price is for events with these dimensions. Billed and unbilled together are all that was metered.',
    tags: ['Invoices'],
    security: reader.security,
    querystring: unbilledQuery,
    response: {
      200: answer(
        'The account of each meter, and a page of items.',
        Type.Object({
          period: Type.Object({ start: Type.String(), end: Type.String() }),
          usageUntil: orNull(Type.String({ description: 'Everything acknowledged before it is counted.' })),
          meters: Type.Array(accountSchema),
          items: Type.Array(itemSchema),
          nextCursor: orNull(Type.String()),
        }),
        example,
      ),
      ...reader.refused,
    },
  },
}
