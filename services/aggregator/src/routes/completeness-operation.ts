import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import { completenessQuery } from './completeness.ts'
import { queryRefusal } from './usage-schemas.ts'

const completeUntil = Type.String({ description: 'Everything acknowledged before this instant is in.' })

const completeness = Type.Object({
  until: Type.String(),
  complete: Type.Boolean({ description: 'Whether every event acknowledged before `until` is in.' }),
  completeUntil,
  missing: Type.Array(
    Type.Object({
      topic: Type.Union([Type.Literal('usage.events'), Type.Literal('usage.inbound')], {
        description: 'usage.inbound: what the tenant sends by Kafka, before it is on usage.events.',
      }),
      partition: Type.Integer(),
      completeUntil,
    }),
    { description: 'Partitions that have not come so far.' },
  ),
})

export const completenessOperation: Operation = {
  method: 'GET',
  url: '/v1/completeness',
  schema: {
    operationId: 'getCompleteness',
    summary: 'Ask whether everything before an instant is in',
    description:
      'Yes, or what is missing: for every partition that events of the tenant may come by, the instant up to which all that was acknowledged counts.',
    tags: ['Usage'],
    ...keyWith('read'),
    querystring: completenessQuery,
    response: {
      200: answer('How far it is.', completeness, {
        until: '2026-12-01T00:00:00.000000Z',
        complete: false,
        completeUntil: '2026-11-30T23:59:58.750000Z',
        missing: [{ topic: 'usage.events', partition: 3, completeUntil: '2026-11-30T23:59:58.750000Z' }],
      }),
      ...refusals(
        [queryRefusal('until', 'must be an RFC 3339 date and time with zone such as 2026-12-01T00:00:00Z')],
        keyRefusals('read'),
        serverRefusals,
      ),
    },
  },
}
