import { CloudEvent, HTTP, type Message } from 'cloudevents'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { openKafka, type RunningIngest, readUsageEvents, startIngest } from './ingest-room.ts'

let installation: Installation
let ingest: RunningIngest
let acme: TestTenant

beforeAll(async () => {
  installation = await createInstallation('cesdk')
  acme = await installation.createTenant('acme')
  ingest = await startIngest(installation.env)
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

const newEvent = (subject: string) =>
  new CloudEvent({ source: '/api/eu', type: 'api.request', subject, data: { tokens: 12, model: 'größer' } })

/** Sends what the SDK made as it is: its headers and its body. */
async function send({ headers, body }: Message) {
  const sent = new Headers({ authorization: `Bearer ${acme.key}` })
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent.set(name, String(value))
  const response = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: sent,
    body: String(body),
  })
  return { status: response.status, body: await response.json() }
}

async function logged(subject: string) {
  const kafka = openKafka(installation.env)
  const events = await readUsageEvents(kafka, installation.prefix)
  await kafka.disconnect()
  return events.filter((event) => event.subject === subject)
}

test.each(['binary', 'structured'] as const)('an event in %s mode arrives as it was made', async (mode) => {
  const event = newEvent(mode)
  expect(await send(HTTP[mode](event))).toMatchObject({ status: 202, body: { accepted: 1 } })
  expect(await logged(mode)).toMatchObject([
    {
      id: event.id,
      source: event.source,
      type: event.type,
      time: Date.parse(String(event.time)) * 1000,
      data: '{"model":"größer","tokens":12}',
    },
  ])
})

test('several events in one batch', async () => {
  const batch = [newEvent('batch'), newEvent('batch')]
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  const body = JSON.stringify(batch.map((event) => event.toJSON()))
  expect(await send({ headers, body })).toMatchObject({ status: 202, body: { accepted: 2 } })
  expect((await logged('batch')).map(({ id }) => id).sort()).toEqual(batch.map(({ id }) => id).sort())
})
