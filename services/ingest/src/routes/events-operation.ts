import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  type Refusal,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { eventLimits } from '@tidemark/schemas/usage-event.ts'
import { Type } from 'typebox'
import { eventFaultTexts, type RequestFaultCode, requestFaultTexts } from '../events/fault-codes.ts'

const bytes = (most: number) => `1 to ${most} bytes of UTF-8.`

const revision = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'Above those of the corrections before it; the same once more is a duplicate.',
})

/** The event as docs/events.md tells it; what is decided is validate-event.ts. */
export const eventSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({
      description: `${bytes(eventLimits.idBytes)} With the source, within a tenant, the event’s identity.`,
    }),
    source: Type.String({ description: bytes(eventLimits.sourceBytes) }),
    type: Type.String({ description: `${bytes(eventLimits.typeBytes)} Meters pick events by it.` }),
    subject: Type.String({
      description: `${bytes(eventLimits.subjectBytes)} The metered key that billing maps to a customer.`,
    }),
    time: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'At most 5 minutes ahead and 400 days back. Left away, it is the instant of acceptance.',
      }),
    ),
    data: Type.Optional(
      Type.Object(
        {},
        {
          description: `At most ${eventLimits.dataBytes} bytes and ${eventLimits.dataDepth} levels. Numbers that a double would change are refused: send them as strings.`,
        },
      ),
    ),
    datacontenttype: Type.Optional(Type.String({ description: 'A JSON media type.' })),
    tidemarkaction: Type.Optional(
      Type.Literal('correct', {
        description: 'This event replaces the one with its source and id; it needs a time then.',
      }),
    ),
    tidemarkrevision: Type.Optional(revision),
  },
  { description: 'A CloudEvent 1.0. Other extensions are allowed, and not kept.' },
)

const voidSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String(),
    source: Type.String(),
    tidemarkaction: Type.Literal('void'),
    tidemarkrevision: revision,
  },
  { description: 'Takes back the event with this source and id; other attributes are not looked at.' },
)

const anyEventSchema = Type.Union([eventSchema, voidSchema])

export const exampleEvent = {
  specversion: '1.0',
  id: 'req-1',
  source: '/api/eu',
  type: 'api.request',
  subject: 'customer-7',
  time: '2026-11-21T12:00:00Z',
  data: { tokens: 1200 },
}

const batchSchema = Type.Array(anyEventSchema, { description: 'At most 5,000 events.' })

export const eventBodies = {
  content: {
    'application/cloudevents+json': { schema: { ...anyEventSchema, examples: [exampleEvent] } },
    'application/cloudevents-batch+json': { schema: { ...batchSchema, examples: [[exampleEvent]] } },
    'application/json': { schema: { anyOf: [anyEventSchema, batchSchema], examples: [exampleEvent] } },
  },
}

export const eventCodes = Object.entries(eventFaultTexts)
  .map(([code, text]) => `- \`${code}\`: ${text}`)
  .join('\n')

export const resultSchema = Type.Object({
  index: Type.Integer({ description: 'From 0.' }),
  id: Type.Union([Type.String(), Type.Null()]),
  status: Type.String({ description: 'accepted, duplicate (in the log already) or rejected' }),
  code: Type.Optional(
    Type.String({
      description:
        'Of an accepted event a warning: `possible_conflict` says that its source and id were acknowledged before with another payload.',
    }),
  ),
  field: Type.Optional(Type.String({ description: 'Path with dots, like `data.items.0.size`.' })),
  message: Type.Optional(Type.String()),
})

const outcomeSchema = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer({
    description:
      'Known at the door to be in the log already, and not published; only where the tenant’s ids are remembered (`PUT /v1/memory`). Others are found in the log.',
  }),
  rejected: Type.Integer(),
  results: Type.Array(resultSchema, { description: 'What was not plainly accepted, by index.' }),
})

const outcome = {
  accepted: 1,
  duplicates: 0,
  rejected: 1,
  results: [
    {
      index: 1,
      id: 'req-2',
      status: 'rejected',
      code: 'attribute_missing',
      field: 'subject',
      message: eventFaultTexts.attribute_missing,
    },
  ],
}

export const refusal = (
  status: number,
  code: RequestFaultCode,
  extensions: Record<string, unknown> = {},
): Refusal => ({ status, code, detail: requestFaultTexts[code], extensions })

/** What refuses a body of events as a whole. */
export const bodyRefusals: readonly Refusal[] = [
  refusal(400, 'not_utf8', { position: 17 }),
  refusal(400, 'not_json', { position: 17 }),
  refusal(400, 'nested_too_deep'),
  refusal(400, 'body_shape'),
  refusal(400, 'encoding_corrupt'),
  refusal(400, 'body_incomplete'),
  refusal(400, 'query_invalid'),
  refusal(408, 'body_too_slow'),
  refusal(413, 'body_too_large'),
  refusal(413, 'too_many_events'),
  refusal(413, 'compression_ratio'),
  refusal(415, 'unsupported_media_type'),
  refusal(415, 'charset_unsupported'),
  refusal(415, 'encoding_unsupported'),
]

/** Where the key or its tenant has a limit. */
export const rateRefusal: Refusal = {
  status: 429,
  code: 'rate_limited',
  detail:
    'This API key may send 5000 events per second and nothing of this request is accepted; send it again after Retry-After.',
  extensions: { limit: 'key-events' },
}

/** Where events are published. */
export const publishRefusals: readonly Refusal[] = [
  refusal(503, 'kafka_unavailable'),
  refusal(503, 'overloaded'),
  refusal(503, 'stopping'),
]

export const resultsQuery = Type.Object({
  results: Type.Optional(
    Type.Literal('all', { description: 'Names every event in `results`, the accepted ones too.' }),
  ),
})

export const { results } = outcome

export const postEventsOperation: Operation = {
  method: 'POST',
  url: '/v1/events',
  schema: {
    operationId: 'postEvents',
    summary: 'Send events',
    description: `Answers when every in-sync replica has the accepted events. Each event is judged alone: an invalid one never takes others along. Sending again is safe: an event counts once.

The body may be compressed with gzip or zstd (\`Content-Encoding\`).

Binary mode: \`application/json\` (or no body) with \`ce-specversion\`, \`ce-id\`, … as headers; the body is the data.

Codes of rejected events:

${eventCodes}`,
    tags: ['Events'],
    ...keyWith('ingest'),
    querystring: resultsQuery,
    body: eventBodies,
    response: {
      202: answer(
        'At least one event is accepted, or a duplicate: these are durable.',
        outcomeSchema,
        outcome,
      ),
      ...refusals(
        bodyRefusals,
        keyRefusals('ingest'),
        [
          rateRefusal,
          refusal(422, 'all_events_invalid', {
            ...outcome,
            accepted: 0,
            results,
            errors: results,
          }),
        ],
        publishRefusals,
        serverRefusals,
      ),
    },
  },
}
