import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createProducer, type Producer } from '@tidemark/infra/kafka/producer.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { type RejectedEvent, rejectedEventType } from '@tidemark/schemas/usage-event.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readTopic,
  readUsageEvents,
  sampleEvent,
  soon,
  startIngest,
} from './ingest-room.ts'
import { type MetersHttp, openMetersHttp } from './meters-http.ts'
import { withoutReadingSchemas } from './unreadable-schemas.ts'

let installation: Installation
let kafka: KafkaClient
let producer: Producer
let ingest: RunningIngest
let meters: MetersHttp

beforeAll(async () => {
  installation = await createInstallation('eventschema')
  kafka = openKafka(installation.env)
  producer = createProducer(kafka)
  meters = openMetersHttp(installation)
  ingest = await startIngest(installation.env, { INGEST_SCHEMAS_POLL_MS: '100' })
})

afterAll(async () => {
  await ingest?.stop()
  await meters?.close()
  await producer?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

const positive = { required: ['tokens'], properties: { tokens: { type: 'integer', minimum: 1 } } }

async function makeMeter(
  tenant: TestTenant,
  eventSchema: object | undefined,
  fields: Record<string, unknown> = {},
): Promise<void> {
  const meter = {
    key: 'tokens',
    eventType: 'api.request',
    aggregation: 'sum',
    valuePath: 'tokens',
    ...fields,
  }
  const schema = eventSchema === undefined ? {} : { eventSchema }
  expect((await meters.post({ ...meter, ...schema }, tenant.key)).status).toBe(201)
}

const post = (tenant: TestTenant, body: unknown) => postEvents(ingest.url, body, { key: tenant.key })
const tokens = (count: unknown, fields: object = {}) => sampleEvent({ data: { tokens: count }, ...fields })

/** A new version holds after one poll. */
const untilStatus = (tenant: TestTenant, event: () => object, status: number) =>
  vi.waitFor(async () => expect((await post(tenant, event())).status).toBe(status), soon)

const call = (tenant: TestTenant, path: string, body: object) =>
  fetch(ingest.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const sendInbound = (tenant: string, events: readonly object[]) =>
  producer.send(
    `${installation.prefix}usage.inbound.${tenant}`,
    events.map((event) => ({
      partition: 0,
      key: null,
      value: Buffer.from(JSON.stringify(event)),
      headers: {},
    })),
  )

async function rejectedOf(tenant: string): Promise<RejectedEvent[]> {
  const records = await readTopic(kafka, `${installation.prefix}usage.rejected`)
  const all = records.map(({ value }): RejectedEvent => {
    const framed = unframe(value)
    if (framed.kind === 'malformed') throw new Error(framed.reason)
    return rejectedEventType.fromBuffer(framed.payload)
  })
  return all.filter((event) => event.tenant === tenant)
}

test('an event that does not fit is refused by path, finding and meter; the rest of the batch is accepted', async () => {
  const tenant = await installation.createTenant('acme')
  const other = await installation.createTenant('other')
  await makeMeter(tenant, positive)
  await untilStatus(tenant, () => tokens(0), 422)
  const batch = [
    tokens(5),
    tokens('5'),
    sampleEvent({ data: {} }),
    tokens(7),
    sampleEvent({ data: undefined }),
  ]
  const answer = await post(tenant, batch)
  const missing = {
    status: 'rejected',
    code: 'data_schema',
    field: 'data.tokens',
    message:
      'The data does not fit the schema that a meter of this event type carries. Meter "tokens", version 1: expected this field, which is required, found nothing.',
  }
  expect(answer).toMatchObject({
    status: 202,
    body: {
      accepted: 2,
      rejected: 3,
      results: [
        {
          index: 1,
          code: 'data_schema',
          field: 'data.tokens',
          message:
            'The data does not fit the schema that a meter of this event type carries. Meter "tokens", version 1: expected an integer, found "5".',
        },
        { index: 2, ...missing },
        { index: 4, ...missing },
      ],
    },
  })
  const accepted = await readUsageEvents(kafka, installation.prefix)
  const ids = new Set(batch.map(({ id }) => id))
  const data = accepted.filter((event) => ids.has(event.id)).map((event) => event.data)
  expect(data.sort()).toEqual(['{"tokens":5}', '{"tokens":7}'])

  const checked = await call(tenant, '/v1/events/validate', batch)
  expect(await checked.json()).toMatchObject({ valid: 2, rejected: 3 })
  const openMeter = await call(tenant, '/api/v1/events', tokens(0))
  expect(openMeter.status).toBe(400)
  expect(await openMeter.json()).toMatchObject({
    code: 'event_invalid',
    detail: expect.stringContaining('at least 1'),
  })

  expect((await post(tenant, tokens('5', { type: 'another' }))).status).toBe(202)
  expect((await post(other, tokens('5'))).status).toBe(202)
})

test('a new version of a meter holds without a restart, and one without a schema lifts it', async () => {
  const tenant = await installation.createTenant('changing')
  await makeMeter(tenant, positive)
  await untilStatus(tenant, () => tokens(0), 422)
  await makeMeter(tenant, { properties: { tokens: { maximum: 9 } } })
  await untilStatus(tenant, () => tokens(0), 202)
  expect((await post(tenant, tokens(10))).body).toMatchObject({
    results: [{ message: expect.stringContaining('version 2: expected at most 9, found 10.') }],
  })
  await makeMeter(tenant, undefined)
  await untilStatus(tenant, () => tokens(10), 202)
})

test('every schema of the type must hold when several meters carry one', async () => {
  const tenant = await installation.createTenant('several')
  await makeMeter(tenant, positive)
  await makeMeter(tenant, { required: ['model'] }, { key: 'by_model' })
  await untilStatus(tenant, () => tokens(5), 422)
  await untilStatus(tenant, () => sampleEvent({ data: { model: 'a' } }), 422)
  expect((await post(tenant, sampleEvent({ data: { model: 'a', tokens: 5 } }))).status).toBe(202)
})

test('the last known schemas go on while they cannot be read', async () => {
  const tenant = await installation.createTenant('away')
  await makeMeter(tenant, positive)
  await untilStatus(tenant, () => tokens(0), 422)
  await withoutReadingSchemas(installation, async (untilAsked) => {
    await makeMeter(tenant, undefined)
    await untilAsked()
    expect((await post(tenant, tokens(0))).status).toBe(422)
  })
  await untilStatus(tenant, () => tokens(0), 202)
})

test('a process that has never read the schemas accepts and relays nothing', async () => {
  const tenant = await installation.createTenant('unread')
  await makeMeter(tenant, positive)
  const inbound = tokens(0, { id: 'unread' })
  let second: RunningIngest | undefined
  await ingest.stop()
  await withoutReadingSchemas(installation, async () => {
    second = await startIngest(installation.env, { INGEST_SCHEMAS_POLL_MS: '100' })
    const answer = await postEvents(second.url, tokens(5), { key: tenant.key })
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } })
    await sendInbound('unread', [inbound])
  })
  ingest = second ?? ingest
  await untilStatus(tenant, () => tokens(5), 202)
  await vi.waitFor(async () => expect(await rejectedOf('unread')).toHaveLength(1), soon)
  const events = await readUsageEvents(kafka, installation.prefix)
  expect(events.map(({ id }) => id)).not.toContain('unread')
})

test('over Kafka it is the same: refused with its bytes, and replayed once the schema allows it', async () => {
  const tenant = await installation.createTenant('relayed')
  await makeMeter(tenant, positive)
  await untilStatus(tenant, () => tokens(0), 422)
  const refused = tokens(0, { id: 'refused' })
  await sendInbound('relayed', [refused, tokens(3, { id: 'taken' })])
  const [found] = await vi.waitFor(async () => {
    const rejected = await rejectedOf('relayed')
    expect(rejected).toHaveLength(1)
    return rejected
  }, soon)
  expect(found).toMatchObject({ code: 'data_schema', original: Buffer.from(JSON.stringify(refused)) })
  expect(found?.reason).toContain('data.tokens: ')
  expect(found?.reason).toContain('expected at least 1, found 0.')

  expect(await replay()).toEqual({ code: 2, out: expect.stringContaining('data_schema') })
  await makeMeter(tenant, undefined)
  expect(await replay()).toMatchObject({ code: 0 })
  const events = await readUsageEvents(kafka, installation.prefix)
  const ids = events.filter((event) => event.tenant === 'relayed').map(({ id }) => id)
  expect(ids.sort()).toEqual(expect.arrayContaining(['refused', 'taken']))
})

async function replay(): Promise<{ code: number; out: string }> {
  const command = new URL(import.meta.resolve('@tidemark/ingest/rejected-command.ts')).pathname
  const args = [command, 'replay', '--tenant', 'relayed']
  const env = { ...process.env, ...installation.env }
  const run = promisify(execFile)(process.execPath, args, { env })
  return run.then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error) => ({ code: Number(error.code), out: String(error.stdout) }),
  )
}
