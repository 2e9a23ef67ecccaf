import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  type Refusal,
  refusalOf,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import type { TSchema } from 'typebox'
import { tooLarge } from '../usage/carried-reader.ts'
import { keyParams, unknownMeter } from './meters.ts'
import { dimensionParams } from './usage.ts'
import {
  listQuery,
  queryRefusal,
  unreadableAnswer,
  unreadableQuery,
  usageAnswer,
  usageQuery,
} from './usage-schemas.ts'

const head = {
  meter: 'bytes',
  version: 1,
  completeUntil: '2026-11-21T17:40:00.250000Z',
  cut: '1/0:120,1/1:98',
}
const range = { from: '2026-11-01T00:00:00.000000Z', to: '2026-12-01T00:00:00.000000Z' }
const item = {
  windowStart: range.from,
  windowEnd: range.to,
  subject: 'customer-7',
  value: '1000.000000001',
  eventCount: 5,
  unreadable: 0,
}
const usage = (...items: object[]) => ({ ...head, ...range, items, nextCursor: null })

const operation = (
  url: string,
  about: { operationId: string; summary: string; description: string },
  asked: { params: TSchema; querystring: TSchema },
  answered: object,
  own: readonly Refusal[] = [],
): Operation => ({
  method: 'GET',
  url,
  schema: {
    ...about,
    tags: ['Usage'],
    ...keyWith('read'),
    ...asked,
    response: {
      200: answered,
      ...refusals(
        [queryRefusal('to', 'must lie after from: the range is [from, to)')],
        keyRefusals('read'),
        [refusalOf(unknownMeter('byte'))],
        own,
        serverRefusals,
      ),
    },
  },
})

export const usageOperations: readonly Operation[] = [
  operation(
    '/v1/meters/:key/usage',
    {
      operationId: 'getUsage',
      summary: 'Tell the usage of a meter',
      description:
        'By window and group. Without groups every window is listed, with zero where there was nothing; with them, each group in each window in which it had events, or a level. The answer is that of a recomputation from raw events, at any time.',
    },
    { params: keyParams, querystring: usageQuery },
    answer('One page, as JSON or CSV.', usageAnswer, usage(item)),
    [refusalOf(tooLarge())],
  ),
  operation(
    '/v1/meters/:key/subjects',
    {
      operationId: 'listSubjects',
      summary: 'List the subjects of a meter',
      description:
        'Who had usage in the range, with how much; `order=value&limit=10` are the ten largest. The whole range is one window.',
    },
    { params: keyParams, querystring: listQuery },
    answer('One page, as JSON or CSV.', usageAnswer, usage(item)),
    [refusalOf(tooLarge())],
  ),
  operation(
    '/v1/meters/:key/dimensions/:dimension',
    {
      operationId: 'listDimensionValues',
      summary: 'List the values of a dimension',
      description:
        'Each value that events of the range have, with its usage. An event without the field has the empty text.',
    },
    { params: dimensionParams, querystring: listQuery },
    answer(
      'One page, as JSON or CSV.',
      usageAnswer,
      usage({ ...item, subject: undefined, dimensions: { region: 'eu' } }),
    ),
    [
      {
        status: 404,
        code: 'dimension_unknown',
        detail: 'The meter "bytes" has no dimension "regio"; it has region.',
      },
      refusalOf(tooLarge()),
    ],
  ),
  operation(
    '/v1/meters/:key/unreadable',
    {
      operationId: 'listUnreadable',
      summary: 'List events whose value cannot be read',
      description:
        'They count in no quantity until a correction of the event, or a version of the meter that looks elsewhere, makes them readable.',
    },
    { params: keyParams, querystring: unreadableQuery },
    answer('One page.', unreadableAnswer, {
      ...head,
      total: 1,
      items: [
        {
          source: '/api/eu',
          id: 'req-9',
          subject: 'customer-7',
          time: '2026-11-21T12:00:00.000000Z',
          log: 1,
          partition: 3,
          offset: '4711',
          value: '"many"',
          reason: 'is no decimal number',
        },
      ],
      nextCursor: null,
    }),
  ),
]
