import { isRecord } from '@tidemark/infra/process/record.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type AggregatorRoom, openAggregatorRoom } from './aggregator-room.ts'
import { postEvents, type RunningIngest, sampleEvent, startIngest } from './ingest-room.ts'

let room: AggregatorRoom
let ingest: RunningIngest
let acme: TestTenant

beforeAll(async () => {
  room = await openAggregatorRoom('correcting')
  acme = await room.installation.createTenant('acme')
  ingest = await startIngest(room.installation.env)
  await room.start()
})
afterAll(async () => {
  await ingest?.stop()
  await room?.close()
})

const time = new Date(Date.now() - 3_600_000).toISOString()

async function send(...events: object[]): Promise<void> {
  const { status } = await postEvents(ingest.url, events, { key: acme.key })
  expect(status).toBe(202)
  await room.drained()
}

async function get(path: string, query: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(`${ingest.url}${path}?${new URLSearchParams(query)}`, {
    headers: { authorization: `Bearer ${acme.key}` },
  })
  const body: unknown = await response.json()
  if (!isRecord(body)) throw new Error('The answer is no object')
  return body
}

const lookUp = (id: string) => get('/v1/events/lookup', { source: '/test', id })
const listed = async (id: string) => (await get('/v1/events', { id })).items

const correction = (id: string, revision: number, change: object = {}) => ({
  ...sampleEvent({ id, time, data: { n: revision } }),
  tidemarkaction: 'correct',
  tidemarkrevision: revision,
  ...change,
})
const voided = (id: string, revision: number) => ({
  specversion: '1.0',
  id,
  source: '/test',
  tidemarkaction: 'void',
  tidemarkrevision: revision,
})

test('what is corrected is shown as it counts, and as it was in its history', async () => {
  await send(sampleEvent({ id: 'a', time, data: { n: 0 } }))
  await send(correction('a', 1, { subject: 'other' }), correction('a', 1, { subject: 'other' }))
  const corrected = await lookUp('a')
  expect(corrected).toMatchObject({
    verdict: 'correction',
    event: { subject: 'other', data: { n: 1 } },
    history: [
      { action: 'none', revision: 0, event: { data: { n: 0 } }, supersededBy: { offset: 1 } },
      { action: 'correct', revision: 1, event: { subject: 'other', data: { n: 1 } }, supersededBy: null },
    ],
    copies: [{ verdict: 'accepted' }, { verdict: 'correction' }, { verdict: 'duplicate' }],
  })
  expect(await listed('a')).toMatchObject([{ subject: 'other', data: { n: 1 } }])

  await send(voided('a', 2), correction('a', 1, { subject: 'other' }))
  expect(await lookUp('a')).toMatchObject({
    verdict: 'correction',
    event: null,
    countsIn: null,
    history: [{ action: 'none' }, { action: 'correct' }, { action: 'void', revision: 2, event: null }],
    copies: [{}, {}, {}, { verdict: 'correction', type: null, hour: null }, { verdict: 'rejected' }],
  })
  expect(await listed('a')).toEqual([])
})

test('over HTTP in binary mode both attributes are headers', async () => {
  await send(sampleEvent({ id: 'b', time, data: { n: 0 } }))
  const response = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${acme.key}`,
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'b',
      'ce-source': '/test',
      'ce-type': 'api.request',
      'ce-subject': 'customer-1',
      'ce-time': time,
      'ce-tidemarkaction': 'correct',
      'ce-tidemarkrevision': '1',
    },
    body: '{"n":5}',
  })
  expect(response.status).toBe(202)
  await room.drained()
  expect(await listed('b')).toMatchObject([{ data: { n: 5 } }])
})

test('a correction that cannot be one is refused by name, and takes nothing along', async () => {
  const { status, body } = await postEvents(
    ingest.url,
    [
      correction('c', 0),
      correction('c', 1, { tidemarkaction: 'undo' }),
      correction('c', 1, { time: undefined }),
      sampleEvent({ id: 'c', time }),
    ],
    { key: acme.key },
  )
  expect(status).toBe(202)
  expect(body).toMatchObject({
    accepted: 1,
    results: [
      { index: 0, code: 'revision_invalid', field: 'tidemarkrevision' },
      { index: 1, code: 'action_invalid', field: 'tidemarkaction' },
      { index: 2, code: 'attribute_missing', field: 'time' },
    ],
  })
})
