import { HTTPError, OpenMeter } from '@openmeter/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { openKafka, type RunningIngest, readUsageEvents, sampleEvent, startIngest } from './ingest-room.ts'

let installation: Installation
let ingest: RunningIngest
let acme: TestTenant
let openmeter: OpenMeter

beforeAll(async () => {
  installation = await createInstallation('openmeter')
  acme = await installation.createTenant('acme')
  ingest = await startIngest(installation.env)
  openmeter = new OpenMeter({ baseUrl: ingest.url, apiKey: acme.key })
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

async function logged(subject: string) {
  const kafka = openKafka(installation.env)
  const events = await readUsageEvents(kafka, installation.prefix)
  await kafka.disconnect()
  return events.filter((event) => event.subject === subject)
}

test('its client sends an event with nothing but the address changed', async () => {
  const event = { type: 'prompt', subject: 'single', data: { tokens: 123_456, model: 'gpt4' } }
  expect(await openmeter.events.ingest(event)).toBeUndefined()
  expect(await logged('single')).toMatchObject([
    { tenant: 'acme', type: 'prompt', source: '@openmeter/sdk', data: '{"model":"gpt4","tokens":123456}' },
  ])
})

test('its client sends a batch', async () => {
  const time = new Date()
  const batch = Array.from({ length: 50 }, (_, at) => ({
    id: `batch-${at}`,
    source: 'test',
    type: 'prompt',
    subject: 'batch',
    time,
    data: { at },
  }))
  await openmeter.events.ingest(batch)
  const found = await logged('batch')
  expect(found.map(({ id }) => id).sort()).toEqual(batch.map(({ id }) => id).sort())
  expect(new Set(found.map((event) => event.time))).toEqual(new Set([time.getTime() * 1000]))
})

test('a batch with an invalid event is refused whole, and its client says why', async () => {
  const sound = { type: 'prompt', subject: 'refused', data: {} }
  const refusal = openmeter.events.ingest([sound, { ...sound, subject: '' }])
  const error: unknown = await refusal.then(undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(HTTPError)
  expect(error).toMatchObject({
    status: 400,
    type: 'urn:tidemark:problem:event_invalid',
    message: expect.stringContaining('index 1, in subject: This attribute must not be empty.'),
  })
  expect(await logged('refused')).toEqual([])
})

test('its client is told of a wrong key', async () => {
  const stranger = new OpenMeter({ baseUrl: ingest.url, apiKey: 'om_123' })
  const refusal = stranger.events.ingest({ type: 'prompt', subject: 'stranger' })
  await expect(refusal).rejects.toMatchObject({ status: 401 })
})

test.each([
  ['application/cloudevents+json', (event: unknown) => event],
  ['application/cloudevents-batch+json', (event: unknown) => [event]],
  ['application/json', (event: unknown) => event],
  ['application/json', (event: unknown) => [event]],
])('%s is answered 204 without a body', async (contentType, wrap) => {
  const response = await fetch(`${ingest.url}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': contentType },
    body: JSON.stringify(wrap(sampleEvent({ subject: 'plain' }))),
  })
  expect(response.status).toBe(204)
  expect(await response.text()).toBe('')
})

test('what is no JSON is a problem document', async () => {
  const response = await fetch(`${ingest.url}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/cloudevents+json' },
    body: 'invalid',
  })
  expect(response.status).toBe(400)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
})
