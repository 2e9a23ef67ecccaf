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
import { Type } from 'typebox'
import { shownEventSchema } from '../reading/event-rows.ts'
import { eventsQuery } from '../reading/events-query.ts'
import { fateQuery, fateSchema } from '../reading/fate-schema.ts'
import { readingBusy, tooManyReads } from '../reading/reading-gate.ts'

const place = { log: 1, partition: 3, offset: 4711 }

const event = {
  specversion: '1.0',
  id: 'req-1',
  source: '/api/eu',
  type: 'api.request',
  subject: 'customer-7',
  time: '2026-11-21T12:00:00.000000Z',
  data: { tokens: 1200 },
  acceptedAt: '2026-11-21T12:00:00.412000Z',
  ...place,
}

const queryRefusal = (field: string, reason: string): Refusal => ({
  status: 400,
  code: 'invalid_request',
  detail: `The query is not as expected: ${field} ${reason}.`,
  extensions: { errors: [{ field, reason }] },
})

const gateRefusals = [refusalOf(tooManyReads()), refusalOf(readingBusy())]

const page = Type.Object({
  items: Type.Array(shownEventSchema),
  nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' }),
})

export const listEventsOperation: Operation = {
  method: 'GET',
  url: '/v1/events',
  schema: {
    operationId: 'listEvents',
    summary: 'List accepted events',
    description:
      'Accepted events of the caller’s tenant, by their time, as corrections have left them. They appear within seconds of their acceptance. All pages of a list read one range of time; an event that arrives meanwhile is on a later page or on none.',
    tags: ['Events'],
    ...keyWith('read'),
    querystring: eventsQuery,
    response: {
      200: answer('One page.', page, { items: [event], nextCursor: null }),
      ...refusals(
        [queryRefusal('to', 'must lie after from: the range is [from, to)')],
        keyRefusals('read'),
        [
          {
            status: 422,
            code: 'range_too_large',
            detail:
              'More than 50000000 events would have to be looked at; name a type and a subject, or a shorter range.',
          },
        ],
        gateRefusals,
        serverRefusals,
      ),
    },
  },
}

const hour = '2026-11-21T12:00:00Z'
const copy = { type: 'api.request', hour, payloadHash: '5f0c…', first: place }

export const lookupEventOperation: Operation = {
  method: 'GET',
  url: '/v1/events/lookup',
  schema: {
    operationId: 'lookupEvent',
    summary: 'Tell what became of an event',
    description:
      'From the ledger, which has one row for every offset of the log: the verdict of every copy of the event, and the hour that it counts in. `event` and `countsIn` are null when no copy was accepted, or the event is voided; `history` shows what it said before a correction.',
    tags: ['Events'],
    ...keyWith('read'),
    querystring: fateQuery,
    response: {
      200: answer('All copies, in the order of the log.', fateSchema, {
        source: event.source,
        id: event.id,
        verdict: 'accepted',
        event,
        countsIn: { type: event.type, hour },
        history: [{ ...place, action: 'none', revision: 0, event, supersededBy: null }],
        copies: [
          { ...place, verdict: 'accepted', appendedAt: '2026-11-21T12:00:00.414000Z', ...copy },
          {
            ...place,
            offset: 4742,
            verdict: 'duplicate',
            appendedAt: '2026-11-21T12:00:07.020000Z',
            ...copy,
          },
        ],
        hasMoreCopies: false,
      }),
      ...refusals(
        [queryRefusal('source', 'is missing')],
        keyRefusals('read'),
        [
          {
            status: 404,
            code: 'event_not_found',
            detail:
              'The ledger has no event of this tenant with source "/api/eu" and id "req-9": the log has been read up to 2026-11-21T12:00:08.000000Z. What was acknowledged after that may still appear; otherwise compare source and id byte by byte.',
            extensions: { processedUntil: '2026-11-21T12:00:08.000000Z' },
          },
        ],
        gateRefusals,
        serverRefusals,
      ),
    },
  },
}
