import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  refusalOf,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { meterSchema } from '@tidemark/schemas/meter.ts'
import { Type } from 'typebox'
import { keyParams, listQuery, postQuery, unknownMeter } from './meters.ts'
import { queryRefusal } from './usage-schemas.ts'

const versioned = Type.Interface([meterSchema], { version: Type.Integer() })
const meter = {
  key: 'bytes',
  eventType: 'transfer',
  aggregation: 'sum',
  valuePath: 'bytes',
  dimensions: { region: 'region' },
}
const shown = { ...meter, version: 2 }

const page = Type.Object({
  items: Type.Array(versioned),
  nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' }),
})

const described = Type.Interface([versioned], {
  filledUntil: Type.Union([Type.String(), Type.Null()], {
    description: 'Every hour before it is summed up; null: the next pass begins with the meter.',
  }),
  hoursLeft: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Hours that are over and are read from raw events meanwhile, which takes longer.',
  }),
  earlierVersions: Type.Array(versioned, { description: 'The latest first.' }),
})

export const meterOperations: readonly Operation[] = [
  {
    method: 'POST',
    url: '/v1/meters',
    schema: {
      operationId: 'registerMeter',
      summary: 'Register a meter, or its next version',
      description:
        'A definition that differs from the latest version under the same key becomes the next one, and counts all events that exist; the same definition again changes nothing. No version ever changes.',
      tags: ['Meters'],
      ...keyWith('admin'),
      querystring: postQuery,
      body: meterSchema,
      response: {
        200: answer('It exists already; or, of a dry run, what would happen.', versioned, shown),
        201: answer('A new version.', versioned, shown),
        ...refusals(
          [
            {
              status: 422,
              code: 'invalid_request',
              detail:
                'The meter "bytes" is not sound: valuePath: aggregation sum needs valuePath: the field of data that is read, such as bytes.',
              extensions: {
                errors: [
                  {
                    field: 'valuePath',
                    reason: 'aggregation sum needs valuePath: the field of data that is read, such as bytes',
                  },
                ],
              },
            },
            {
              status: 422,
              code: 'meter_limit_reached',
              detail: 'The tenant has 1000 versions of meters already, which is the most.',
            },
            {
              status: 422,
              code: 'schema_limit_reached',
              detail:
                'At most 200 meters of a tenant carry an eventSchema, and so many do; take it from one that needs none.',
            },
          ],
          keyRefusals('admin'),
          serverRefusals,
        ),
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/meters',
    schema: {
      operationId: 'listMeters',
      summary: 'List the meters',
      description: 'The latest version of each, by key.',
      tags: ['Meters'],
      ...keyWith('read'),
      querystring: listQuery,
      response: {
        200: answer('One page.', page, { items: [shown], nextCursor: null }),
        ...refusals([queryRefusal('limit', 'must be <= 1000')], keyRefusals('read'), serverRefusals),
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/meters/:key',
    schema: {
      operationId: 'getMeter',
      summary: 'Read a meter, its versions, and how far it is filled',
      description:
        'A new meter or version is filled from the events that exist. Its usage is exact all the while: hours that are not summed up yet are read from raw events.',
      tags: ['Meters'],
      ...keyWith('read'),
      params: keyParams,
      response: {
        200: answer('The meter.', described, {
          ...shown,
          filledUntil: '2026-11-21T17:00:00.000000Z',
          hoursLeft: 0,
          earlierVersions: [{ ...meter, dimensions: {}, version: 1 }],
        }),
        ...refusals(keyRefusals('read'), [refusalOf(unknownMeter('byte'))], serverRefusals),
      },
    },
  },
]
