import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import {
  bodyRefusals,
  eventBodies,
  publishRefusals,
  rateRefusal,
  refusal,
  resultSchema,
  results,
  resultsQuery,
} from './events-operation.ts'

const validationSchema = Type.Object({
  valid: Type.Integer(),
  rejected: Type.Integer(),
  results: Type.Array(resultSchema, { description: 'What is not valid, by index.' }),
})

export const validateEventsOperation: Operation = {
  method: 'POST',
  url: '/v1/events/validate',
  schema: {
    operationId: 'validateEvents',
    summary: 'Check events without sending them',
    description:
      'Takes what `POST /v1/events` takes, checks it alike and publishes nothing. It counts against the same rate limits.',
    tags: ['Events'],
    ...keyWith('ingest'),
    querystring: resultsQuery,
    body: eventBodies,
    response: {
      200: answer('Every event is checked, whether any is valid or not.', validationSchema, {
        valid: 1,
        rejected: 1,
        results,
      }),
      ...refusals(
        bodyRefusals,
        keyRefusals('ingest'),
        [rateRefusal, refusal(503, 'overloaded')],
        serverRefusals,
      ),
    },
  },
}

export const openMeterEventsOperation: Operation = {
  method: 'POST',
  url: '/api/v1/events',
  schema: {
    operationId: 'ingestOpenMeterEvents',
    summary: 'Send events with OpenMeter’s SDKs',
    description:
      'Answers as OpenMeter’s API does: a request with an event that is not valid is refused whole. Otherwise it is `POST /v1/events`.',
    tags: ['Events'],
    ...keyWith('ingest'),
    body: eventBodies,
    response: {
      204: { description: 'Every event is accepted and durable.', type: 'null' },
      ...refusals(
        [...bodyRefusals, refusal(400, 'event_invalid', { rejected: 1, errors: results })],
        keyRefusals('ingest'),
        [rateRefusal],
        publishRefusals,
        serverRefusals,
      ),
    },
  },
}
