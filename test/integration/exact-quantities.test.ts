import type { UsageAnswer } from '@tidemark/aggregator/usage/usage-answer.ts'
import { formatInstant, hourOf } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TestTenant } from '../installation.ts'
import type { ServiceProcess } from '../service-processes.ts'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'
import { type RunningIngest, startIngest } from './ingest-room.ts'

let room: AggregatorRoom
let ingest: RunningIngest
let aggregator: ServiceProcess
let acme: TestTenant

beforeAll(async () => {
  room = await openAggregatorRoom('exact')
  acme = await room.installation.createTenant('acme')
  ingest = await startIngest(room.installation.env)
  aggregator = await room.start({
    AGGREGATOR_FETCH_MIN_BYTES: '65536',
    AGGREGATOR_FETCH_MAX_WAIT_MS: '250',
    // Hundreds of months are hundreds of parts on disk: a busy machine takes its time.
    AGGREGATOR_INSERT_TIMEOUT_MS: '50000',
    AGGREGATOR_WRITE_TIMEOUT_MS: '55000',
    AGGREGATOR_SESSION_TIMEOUT_MS: '60000',
  })
})
afterAll(async () => {
  await ingest?.stop()
  await room?.close()
})

const day = 86_400_000_000
const start = hourOf(Date.now() * 1000) - 2 * day

async function call(url: string, body?: unknown) {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

const createMeter = async (meter: Meter) =>
  expect((await call(`${aggregator.url}/v1/meters`, meter)).status).toBe(201)

/** Sent over HTTP, each at its own time. */
async function send(type: string, events: readonly { time: number; data: object }[]) {
  const body = events.map(({ time, data }, index) => ({
    specversion: '1.0',
    id: `${type}-${index}`,
    source: 'test',
    type,
    subject: 'alice',
    time: formatInstant(time),
    data,
  }))
  const answer = await call(`${ingest.url}/v1/events`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(202)
  await room.drained()
}

const usageOf = async (key: string, from: number, to: number): Promise<UsageAnswer> => {
  const query = new URLSearchParams({ from: formatInstant(from), to: formatInstant(to) })
  const { status, body } = await call(`${aggregator.url}/v1/meters/${key}/usage?${query}`)
  expect(status).toBe(200)
  return body
}
const itemOf = async (key: string, from = start, to = start + day) => (await usageOf(key, from, to)).items[0]

test('2^53 + 1 and 29 integer digits with 9 decimals come through exactly; larger and finer ones are listed', async () => {
  const large = '99999999999999999999999999999.999999999'
  await createMeter({ key: 'total', eventType: 'exact', aggregation: 'sum', valuePath: 'v' })
  await createMeter({ key: 'largest', eventType: 'exact', aggregation: 'max', valuePath: 'v' })
  await createMeter({ key: 'mean', eventType: 'exact', aggregation: 'average', valuePath: 'v' })
  const values = ['9007199254740993', large, large, '0.000000001', `1${large}`, '0.0000000001']
  await send(
    'exact',
    values.map((v, index) => ({ time: start + index, data: { v } })),
  )
  await vi.waitFor(
    async () =>
      expect(await itemOf('total')).toMatchObject({
        // Beyond 38 digits.
        value: '200000000000009007199254740992.999999999',
        eventCount: 6,
        unreadable: 2,
      }),
    patience,
  )
  expect(await itemOf('largest')).toMatchObject({ value: large })
  expect(await itemOf('mean')).toMatchObject({ value: '50000000000002251799813685248.24999999975' })
  const query = new URLSearchParams({ from: formatInstant(start), to: formatInstant(start + day) })
  const { body } = await call(`${aggregator.url}/v1/meters/total/unreadable?${query}`)
  expect(body).toMatchObject({
    total: 2,
    items: [
      { id: 'exact-4', reason: expect.stringContaining('30 integer digits') },
      { id: 'exact-5', reason: expect.stringContaining('10 decimals') },
    ],
  })
})

test('an event exactly on a boundary belongs to the later period only', async () => {
  await createMeter({ key: 'calls', eventType: 'boundary', aggregation: 'count' })
  await send(
    'boundary',
    [start - 1, start, start + day - 1, start + day].map((time) => ({ time, data: {} })),
  )
  await vi.waitFor(
    async () => expect(await itemOf('calls', start - day)).toMatchObject({ value: '3' }),
    patience,
  )
  expect(await itemOf('calls', start - day, start)).toMatchObject({ value: '1' })
  expect(await itemOf('calls')).toMatchObject({ value: '2' })
  expect(await itemOf('calls', start + day, start + 2 * day)).toMatchObject({ value: '1' })
})

test('one batch may hold more months than ClickHouse would take by default, twice as many', async () => {
  await createMeter({ key: 'months', eventType: 'months', aggregation: 'count' })
  const messages = []
  for (let n = 0; messages.length < 200; n += 1) {
    const time = Date.UTC(2000, messages.length, 15) * 1000
    const { tenant, tenantNumber } = acme
    const message = room.producer.encode(
      usageEvent({ id: `months-${n}`, type: 'months', tenant, tenantNumber, time }),
    )
    if (message.partition === 0) messages.push(message)
  }
  await room.producer.sendRaw(messages)
  await room.drained()
  const yearOf = (year: number) => itemOf('months', Date.UTC(year) * 1000, Date.UTC(year + 1) * 1000)
  await vi.waitFor(async () => expect(await yearOf(2015)).toMatchObject({ value: '12' }), patience)
  expect(await yearOf(2000)).toMatchObject({ value: '12' })
  expect(await room.truth()).toMatchObject({ missing: 0, unmatched: 0 })
})
