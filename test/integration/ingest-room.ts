import { randomUUID } from 'node:crypto'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { type Clock, systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { startComponents } from '@tidemark/infra/process/lifecycle.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { configSchema } from '@tidemark/ingest/config.ts'
import { buildIngest } from '@tidemark/ingest/service.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { vi } from 'vitest'

/** How long a test waits for what servers do in their own time. */
export const soon = { timeout: 20_000, interval: 25 }

export type RunningIngest = {
  url: string
  fatal: unknown[]
  stop(): Promise<void>
}

/** Ingest in this process, on a free port. */
export async function startIngest(
  env: Record<string, string>,
  overrides: Record<string, string> = {},
  clock: Clock = systemClock,
): Promise<RunningIngest> {
  const config = readConfig(configSchema, {
    INGEST_TENANT_POLL_MS: '200',
    INGEST_WATERMARK_INTERVAL_MS: '100',
    ...env,
    ...overrides,
    INGEST_PORT: '0',
  })
  let url = ''
  const destination = {
    write(line: string) {
      const entry: unknown = JSON.parse(line)
      if (isRecord(entry) && entry.msg === 'listening') url = String(entry.address)
      if (process.env.TEST_LOG_LEVEL !== undefined) process.stdout.write(line)
    },
  }
  const log = createLog({ service: 'ingest', level: 'info', pretty: false, destination })
  const fatal: unknown[] = []
  const components = await buildIngest(config, { log, clock, fatal: (error) => fatal.push(error) })
  const running = await startComponents(components)
  return { url, fatal, stop: running.stop }
}

export function openKafka(env: Record<string, string>): KafkaClient {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  return createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'ingest-test', log })
}

export type LoggedRecord = KafkaRecord & { partition: number }

/** Everything that lies on a topic now, by partition and offset. */
export async function readTopic(kafka: KafkaClient, topic: string): Promise<LoggedRecord[]> {
  const ends = await fetchEndOffsets(kafka, topic)
  const expected = [...ends.values()].reduce((sum, end) => sum + Number(end), 0)
  const found: LoggedRecord[] = []
  if (expected === 0) return found
  const consumer = createConsumer(kafka, {
    groupId: `test-${randomUUID()}`,
    topics: [topic],
    async handleBatch(_topic, partition, records) {
      for (const record of records)
        if (record.offset < (ends.get(partition) ?? 0n)) found.push({ ...record, partition })
    },
    onFatal: (error) => {
      throw error
    },
  })
  await consumer.start()
  await vi.waitUntil(() => found.length >= expected, soon)
  await consumer.stop()
  return found.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
}

export type LoggedEvent = UsageEvent & { partition: number; offset: bigint; key: Buffer | null }

export async function readUsageEvents(kafka: KafkaClient, prefix: string): Promise<LoggedEvent[]> {
  const records = await readTopic(kafka, `${prefix}usage.events.1`)
  return records.map(({ value, partition, offset, key }) => {
    const framed = unframe(value)
    if (framed.kind === 'malformed') throw new Error(`record ${partition}/${offset} is ${framed.reason}`)
    const event: UsageEvent = usageEventType.fromBuffer(framed.payload)
    return { ...event, partition, offset, key }
  })
}

let made = 0

/** A valid event with an id that no other has. */
export const sampleEvent = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  specversion: '1.0',
  id: `event-${++made}`,
  source: '/test',
  type: 'api.request',
  subject: 'customer-1',
  data: { count: made },
  ...fields,
})

export type PostOptions = {
  key?: string
  contentType?: string
  headers?: Record<string, string>
  query?: string
}

/** Sends a body; text and bytes as they are, anything else as JSON. */
export async function postEvents(
  url: string,
  body: unknown,
  options: PostOptions = {},
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body)
  const response = await fetch(`${url}/v1/events${options.query ?? ''}`, {
    method: 'POST',
    headers: {
      'content-type': options.contentType ?? 'application/json',
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      ...options.headers,
    },
    body: isRaw ? body : JSON.stringify(body),
  })
  return { status: response.status, body: await response.json(), headers: response.headers }
}
