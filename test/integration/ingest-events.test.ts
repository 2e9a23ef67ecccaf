import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createTestClock, type TestClock } from '@tidemark/infra/process/clock.ts'
import { identityKey, partitionOf } from '@tidemark/schemas/event-identity.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  startIngest,
} from './ingest-room.ts'

let installation: Installation
let kafka: KafkaClient
let ingest: RunningIngest
let acme: TestTenant
let clock: TestClock

beforeAll(async () => {
  installation = await createInstallation('ingest')
  acme = await installation.createTenant('acme')
  kafka = openKafka(installation.env)
  clock = createTestClock(Date.UTC(2026, 10, 21, 12))
  ingest = await startIngest(installation.env, {}, clock)
})

afterAll(async () => {
  await ingest?.stop()
  await kafka?.disconnect()
  await installation?.remove()
})

const logged = async (ids: unknown[]) =>
  (await readUsageEvents(kafka, installation.prefix)).filter(({ id }) => ids.includes(id))

test.each([
  ['application/cloudevents+json', (event: unknown) => event],
  ['application/cloudevents+json; charset=UTF-8', (event: unknown) => event],
  ['application/cloudevents-batch+json', (event: unknown) => [event]],
  ['application/json', (event: unknown) => event],
  ['application/json;charset="utf-8"', (event: unknown) => [event]],
])('%s is taken in and lies in the log when it is acknowledged', async (contentType, wrap) => {
  const event = sampleEvent({ time: '2026-11-21T13:00:00.1234567+01:00', data: { b: 1.5, a: '2' } })
  const answer = await postEvents(ingest.url, wrap(event), { key: acme.key, contentType })
  expect(answer).toMatchObject({
    status: 202,
    body: { accepted: 1, duplicates: 0, rejected: 0, results: [] },
  })
  const [found, ...more] = await logged([event.id])
  expect(more).toEqual([])
  const key = identityKey(acme.tenantNumber, '/test', String(event.id))
  expect(found).toMatchObject({
    tenant: 'acme',
    tenantNumber: acme.tenantNumber,
    source: '/test',
    type: 'api.request',
    subject: 'customer-1',
    time: Date.UTC(2026, 10, 21, 12) * 1000 + 123_456,
    acceptedAt: Date.UTC(2026, 10, 21, 12) * 1000,
    data: '{"a":"2","b":1.5}',
    key,
    partition: partitionOf(key, 8),
  })
})

test('binary mode: attributes in headers, the body is the data', async () => {
  const answer = await postEvents(
    ingest.url,
    { count: 7 },
    {
      key: acme.key,
      headers: {
        'ce-specversion': '1.0',
        'ce-id': 'binary-1',
        'ce-source': '/bin%C3%A4r',
        'ce-type': 'api.request',
        'ce-subject': 'customer-1',
      },
    },
  )
  expect(answer.status).toBe(202)
  expect(await logged(['binary-1'])).toMatchObject([{ source: '/binär', data: '{"count":7}' }])
})

test('an invalid event is named with its field and reason, and takes no other along', async () => {
  const [first, broken, last] = [sampleEvent(), sampleEvent({ subject: '' }), sampleEvent()]
  const answer = await postEvents(ingest.url, [first, broken, last, 7], { key: acme.key })
  expect(answer.status).toBe(202)
  expect(answer.body).toEqual({
    accepted: 2,
    duplicates: 0,
    rejected: 2,
    results: [
      {
        index: 1,
        id: broken.id,
        status: 'rejected',
        code: 'attribute_empty',
        field: 'subject',
        message: 'This attribute must not be empty.',
      },
      {
        index: 3,
        id: null,
        status: 'rejected',
        code: 'event_not_object',
        field: '',
        message: expect.any(String),
      },
    ],
  })
  expect((await logged([first.id, broken.id, last.id])).map(({ id }) => id).sort()).toEqual(
    [first.id, last.id].sort(),
  )
})

test('?results=all names every event', async () => {
  const [event, broken] = [sampleEvent(), sampleEvent({ id: 5 })]
  const answer = await postEvents(ingest.url, [event, broken], { key: acme.key, query: '?results=all' })
  expect(answer.body).toMatchObject({
    results: [
      { index: 0, id: event.id, status: 'accepted' },
      { index: 1, id: null, status: 'rejected', code: 'attribute_not_text', field: 'id' },
    ],
  })
  expect(await postEvents(ingest.url, [event], { key: acme.key, query: '?results=some' })).toMatchObject({
    status: 400,
    body: { code: 'query_invalid' },
  })
})

test('when not one event is valid the answer is 422, in the same shape', async () => {
  const answer = await postEvents(ingest.url, [sampleEvent({ type: undefined })], { key: acme.key })
  expect(answer).toMatchObject({
    status: 422,
    body: {
      code: 'all_events_invalid',
      accepted: 0,
      duplicates: 0,
      rejected: 1,
      results: [{ index: 0, code: 'attribute_missing', field: 'type' }],
      errors: [{ index: 0, code: 'attribute_missing', field: 'type' }],
    },
  })
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
})

test('two copies in one batch are both in the log, which decides', async () => {
  const event = sampleEvent()
  const answer = await postEvents(ingest.url, [event, event], { key: acme.key })
  expect(answer.body).toMatchObject({ accepted: 2 })
  const found = await logged([event.id])
  expect(found).toHaveLength(2)
  expect(new Set(found.map(({ partition }) => partition)).size).toBe(1)
  expect(found[0]?.payloadHash).toEqual(found[1]?.payloadHash)
})

test('an event without a time gets the time of acceptance, which its payload hash does not cover', async () => {
  const event = sampleEvent()
  await postEvents(ingest.url, event, { key: acme.key })
  clock.advance(60_000)
  await postEvents(ingest.url, event, { key: acme.key })
  const [first, second] = await logged([event.id])
  expect((second?.time ?? 0) - (first?.time ?? 0)).toBe(60_000_000)
  expect(second?.payloadHash).toEqual(first?.payloadHash)
})

test("a tenant's key puts events under that tenant, whatever the body says", async () => {
  const other = await installation.createTenant('other', ['ingest'])
  const event = sampleEvent()
  await postEvents(ingest.url, event, { key: other.key })
  expect(await logged([event.id])).toMatchObject([{ tenant: 'other', tenantNumber: other.tenantNumber }])
  expect(other.tenantNumber).not.toBe(acme.tenantNumber)
  const claimed = await postEvents(ingest.url, sampleEvent({ tenant: 'acme' }), { key: other.key })
  expect(claimed).toMatchObject({
    status: 422,
    body: { results: [{ code: 'tenant_in_body', field: 'tenant' }] },
  })
})

test('numbers that a double would change are refused one by one, and never changed', async () => {
  const event = (text: string) =>
    JSON.stringify(sampleEvent({ id: `n${text}`, data: 'here' })).replace(
      '"here"',
      `{"items":[{"size":${text}}]}`,
    )
  const body = `[${['12345678901234567890', '0.1', '1e3', '1e400', '1234567890123456'].map(event).join(',')}]`
  const answer = await postEvents(ingest.url, body, { key: acme.key })
  expect(answer.body).toMatchObject({
    accepted: 3,
    rejected: 2,
    results: [
      {
        index: 0,
        code: 'number_inexact',
        field: 'data.items.0.size',
        message: expect.stringContaining('string'),
      },
      { index: 3, code: 'number_inexact' },
    ],
  })
  const found = await logged(['n0.1', 'n1e3', 'n1234567890123456'])
  expect(Object.fromEntries(found.map(({ id, data }) => [id, data]))).toEqual({
    'n0.1': '{"items":[{"size":0.1}]}',
    n1e3: '{"items":[{"size":1000}]}',
    n1234567890123456: '{"items":[{"size":1234567890123456}]}',
  })
})

test('it tells what it took in, and that it is ready', async () => {
  const metrics = await (await fetch(`${ingest.url}/metrics`)).text()
  const counted = metrics.split('\n').filter((line) => line.includes('door="http"'))
  expect(counted).toContainEqual(expect.stringMatching(/^tidemark_ingest_events_accepted_total\{.*\} [1-9]/))
  expect(counted).toContainEqual(expect.stringMatching(/_rejected_total\{.*code="number_inexact".*\} 2$/))
  expect((await fetch(`${ingest.url}/readyz`)).status).toBe(200)
})
