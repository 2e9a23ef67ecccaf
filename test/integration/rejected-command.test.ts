import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  registerRecordSchema,
  rejectedEventRecord,
  usageEventRecord,
} from '@tidemark/infra/installation/record-schemas.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createProducer, type Producer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { identityKey, payloadHash } from '@tidemark/schemas/event-identity.ts'
import { rejectedEventType, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'
import {
  openKafka,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  soon,
  startIngest,
} from './ingest-room.ts'

const run = promisify(execFile)
const command = new URL(import.meta.resolve('@tidemark/ingest/rejected-command.ts')).pathname
let installation: Installation
let kafka: KafkaClient
let producer: Producer
let ingest: RunningIngest

beforeAll(async () => {
  installation = await createInstallation('rejected')
  kafka = openKafka(installation.env)
  producer = createProducer(kafka)
  ingest = await startIngest(installation.env)
})

afterAll(async () => {
  await ingest?.stop()
  await producer?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

type Ran = { code: number; out: string; err: string }

async function rejected(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const environment = { ...process.env, ...installation.env, ...env }
  try {
    const { stdout, stderr } = await run(process.execPath, [command, ...args], { env: environment })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error)) throw error
    return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) }
  }
}

async function send(tenant: string, records: { value: Buffer; headers?: Record<string, string> }[]) {
  const before = await fetchEndOffsets(kafka, `${installation.prefix}usage.rejected`)
  await producer.send(
    `${installation.prefix}usage.inbound.${tenant}`,
    records.map(({ value, headers = {} }) => ({ partition: 0, key: null, value, headers })),
  )
  const sum = (ends: ReadonlyMap<number, bigint>) => [...ends.values()].reduce((a, b) => a + b, 0n)
  await vi.waitFor(async () => {
    const now = await fetchEndOffsets(kafka, `${installation.prefix}usage.rejected`)
    expect(sum(now) - sum(before)).toBe(BigInt(records.length))
  }, soon)
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const tooOld = (id: string) =>
  sampleEvent({ id, time: new Date(Date.now() - 500 * 86_400_000).toISOString() })
const generous = { INGEST_TIME_BACK_DAYS: '600' }

async function logged(tenant: string) {
  const events = await readUsageEvents(kafka, installation.prefix)
  return events.filter((event) => event.tenant === tenant)
}

test('list and show say what was refused, why, and with which bytes', async () => {
  await installation.createTenant('shown')
  await send('shown', [
    { value: Buffer.from('{"specversion":"1.0"\u001b[2J') },
    { value: Buffer.from([0xff, 0x00, 0xfe]) },
    { value: json(tooOld('old')) },
  ])
  const listed = await rejected(['list', '--tenant', 'shown'])
  expect(listed.code).toBe(0)
  const rows = listed.out
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
  expect(rows.map(([record, , tenant, code, state]) => [record, tenant, code, state])).toEqual([
    ['usage.inbound.shown/0/0', 'shown', 'record_not_json', 'open'],
    ['usage.inbound.shown/0/1', 'shown', 'record_not_utf8', 'open'],
    ['usage.inbound.shown/0/2', 'shown', 'time_too_old', 'open'],
  ])
  const narrowed = await rejected(['list', '--tenant', 'shown', '--code', 'time_too_old'])
  expect(narrowed.out.trim().split('\n')).toHaveLength(1)
  expect((await rejected(['list', '--tenant', 'shown', '--limit', '2'])).err).toContain('--limit shows more')
  const now = new Date(Date.now() + 60_000).toISOString()
  expect((await rejected(['list', '--tenant', 'shown', '--from', now])).out).toBe('')
  expect((await rejected(['list', '--tenant', 'shown', '--to', now])).out).toBe(listed.out)

  const text = (await rejected(['show', 'usage.inbound.shown/0/0'])).out
  expect(text).toContain('record_not_json')
  expect(text).toContain('{"specversion":"1.0"\\u{1b}[2J')
  expect((await rejected(['show', 'usage.inbound.shown/0/1'])).out).toContain('ff00fe')
})

test('a replay keeps identity and arrival, in binary mode too, and may be repeated', async () => {
  await installation.createTenant('again')
  const { id, source, type, subject, data } = sampleEvent({ id: 'binary' })
  const headers = {
    ce_specversion: '1.0',
    ce_id: String(id),
    ce_source: String(source),
    ce_type: String(type),
  }
  await send('again', [
    { value: json(tooOld('old')) },
    {
      value: json(data),
      headers: { ...headers, ce_subject: String(subject), ce_time: String(tooOld('').time) },
    },
    { value: Buffer.from('{') },
  ])
  const refusedStill = await rejected(['replay', '--tenant', 'again'])
  expect(refusedStill).toMatchObject({ code: 2, err: expect.stringContaining('0 accepted, 3 refused again') })
  expect(await logged('again')).toEqual([])

  const dry = await rejected(['replay', '--tenant', 'again', '--dry-run'], generous)
  expect(dry).toMatchObject({ code: 2, err: expect.stringContaining('2 would be accepted, 1 refused') })
  expect(await logged('again')).toEqual([])

  const done = await rejected(['replay', '--tenant', 'again', '--by', 'maria'], generous)
  expect(done).toMatchObject({ code: 2, err: expect.stringContaining('2 accepted, 1 refused again') })
  expect(done.out).toMatch(/^usage\.inbound\.again\/0\/2\trecord_not_json\t/)
  const events = await logged('again')
  expect(events.map((event) => event.id).sort()).toEqual(['binary', 'old'])
  expect(events.every(({ acceptedAt }) => Math.abs(acceptedAt / 1000 - Date.now()) < 60_000)).toBe(true)

  const open = await rejected(['list', '--tenant', 'again'])
  expect(open.out.split('\t')[0]).toBe('usage.inbound.again/0/2')
  const replayed = await rejected(['list', '--tenant', 'again', '--state', 'replayed'])
  expect(replayed.out.match(/replayed .* by maria/g)).toHaveLength(2)

  // By name whatever its state: the second copy is the same record once more.
  expect(await rejected(['replay', 'usage.inbound.again/0/0'], generous)).toMatchObject({ code: 0 })
  const copies = (await logged('again')).filter((event) => event.id === 'old')
  expect(copies).toHaveLength(2)
  expect({ ...copies[1], offset: 0n }).toEqual({ ...copies[0], offset: 0n })
})

test('what the aggregator refused goes where it belongs, with the payload hash that it had', async () => {
  const { tenantNumber } = await installation.createTenant('strayed')
  const registry = createSchemaRegistry({ url: installation.env.SCHEMA_REGISTRY_URL ?? '' })
  const at = Date.now() * 1000 - 7
  const event = { id: 'e', source: 's', type: 't', subject: 'u', timeMicros: undefined, data: '{"n":1.5}' }
  const usage = {
    ...event,
    tenant: 'strayed',
    tenantNumber,
    time: at,
    acceptedAt: at,
    payloadHash: payloadHash(event),
  }
  const usageId = await registerRecordSchema(registry, installation.prefix, usageEventRecord)
  const original = frame(usageId, usageEventType.toBuffer({ ...usage, action: 'none', revision: 0 }))
  const rejectedId = await registerRecordSchema(registry, installation.prefix, rejectedEventRecord)
  const refusal = {
    tenant: '',
    code: 'wrong_partition',
    reason: 'elsewhere',
    original,
    contentType: 'avro/binary',
    originTopic: `${installation.prefix}usage.events.1`,
    originPartition: 3,
    originOffset: 12,
    originTime: Date.now(),
  }
  // Written twice, as by a process that repeats; and once as a product could send it, which is no event of ours.
  const forged = { ...refusal, originTopic: `${installation.prefix}usage.inbound.strayed`, tenant: 'strayed' }
  const values = [refusal, refusal, forged].map((each) => frame(rejectedId, rejectedEventType.toBuffer(each)))
  await producer.send(
    `${installation.prefix}usage.rejected`,
    values.map((value) => ({ partition: 1, key: null, value })),
  )
  const done = await rejected(['replay', '--code', 'wrong_partition'])
  expect(done).toMatchObject({ code: 2, err: expect.stringContaining('1 accepted, 1 refused again') })
  expect(done.out).toContain('record_content_type')
  const [found, ...others] = await logged('strayed')
  expect(others).toEqual([])
  expect(found).toMatchObject({
    id: 'e',
    time: at,
    acceptedAt: at,
    data: event.data,
    payloadHash: usage.payloadHash,
  })
  expect(found?.key).toEqual(identityKey(tenantNumber, 's', 'e'))
})

test('what is discarded stays on the topic and can still be replayed by name', async () => {
  await installation.createTenant('dropped')
  await send('dropped', [{ value: json(tooOld('d')) }])
  expect((await rejected(['discard', '--tenant', 'dropped', '--dry-run'])).err).toContain(
    '1 would be discarded',
  )
  expect((await rejected(['list', '--tenant', 'dropped'])).out).toContain('open')
  expect((await rejected(['discard', '--tenant', 'dropped'])).err).toContain('1 discarded')
  expect((await rejected(['list', '--tenant', 'dropped'])).out).toBe('')
  expect((await rejected(['replay', '--tenant', 'dropped'], generous)).err).toContain('0 accepted')
  expect((await rejected(['show', 'usage.inbound.dropped/0/0'])).out).toContain('discarded')
  expect((await rejected(['replay', 'usage.inbound.dropped/0/0'], generous)).code).toBe(0)
  expect(await logged('dropped')).toHaveLength(1)
})

test('a mistake is told, with how it is done right', async () => {
  for (const [args, text] of [
    [['replay'], '--all'],
    [['discard', '--limit', '3'], '--all'],
    [['show'], '<topic/partition/offset>'],
    [['show', 'nonsense'], '<topic/partition/offset>'],
    [['show', 'usage.inbound.nobody/0/9'], 'list --state all'],
    [['list', '--from', 'yesterday'], 'RFC 3339'],
    [['list', '--limit', '0'], '--limit'],
    [['list', '--state', 'closed'], 'open, replayed, discarded, all'],
    [['mend'], 'list, show, replay, discard'],
  ] as const)
    expect(await rejected([...args])).toMatchObject({ code: 1, out: '', err: expect.stringContaining(text) })
})
