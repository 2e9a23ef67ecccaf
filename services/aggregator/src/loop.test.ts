import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import { createTestClock } from '@tidemark/infra/process/clock.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { usageEventType } from '@tidemark/schemas/usage-event.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBatchLog } from './batch-log.ts'
import { createConsumingMetrics } from './consuming-metrics.ts'
import { openState } from './deduplication/state.ts'
import { createLoop, type Step } from './loop.ts'
import { createRecordReader } from './record-reader.ts'

const now = Date.UTC(2026, 0, 1)
const context = { isStillAssigned: () => true, reportProgress: () => {}, highWatermark: 10n }
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-loop-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const record = (offset: bigint, timestampMs = now): KafkaRecord => ({
  offset,
  timestampMs,
  key: null,
  value: Buffer.from('no event'),
  headers: {},
})

async function createTrial(name: string) {
  const logger = createLog({ service: 'trial', level: 'silent', pretty: false })
  const metrics = createConsumingMetrics(createMetrics('trial'))
  const { signal } = new AbortController()
  const decoder = createAvroDecoder({
    registry: { fetchSchema: async () => '' },
    readerSchema: usageEventType,
    parseSchema: () => usageEventType,
  })
  const done: (Step | string)[] = []
  const handleBatch = createLoop({
    log: 1,
    topic: 'usage.events.1',
    horizonMicros: 40 * 86_400_000_000,
    rejectedPartitions: 4,
    reader: createRecordReader({ decoder, partitions: 8, logger, metrics, signal }),
    sink: {
      writeEvidence: async (_evidence, rejected) => {
        done.push(`evidence and ${rejected.length} rejected`)
      },
      writeLedger: async ({ table }) => {
        done.push(table)
      },
    },
    findByIdentity: async () => new Map(),
    findHistories: async () => new Map(),
    clock: createTestClock(now),
    batchLog: createBatchLog(logger, metrics),
    metrics,
    onStep: (step) => done.push(step),
  })
  const onDamage = (cause: unknown): never => {
    throw cause
  }
  const state = await openState(join(directory, name), {
    keptMicros: 41 * 86_400_000_000,
    filterBytes: 1_048_576,
    onDamage,
  })
  return { handleBatch, partition: { state, nextOffset: 0n }, done }
}

test('the ledger is written after its evidence, and the state after the ledger', async () => {
  const { handleBatch, partition, done } = await createTrial('order')
  await handleBatch(0, partition, [record(0n), record(1n)], context)
  expect(done).toEqual([
    'decoded',
    'decided',
    'evidence and 2 rejected',
    'raw-inserted',
    'usage_ledger',
    'ledger-inserted',
    'state-committed',
  ])
  expect(partition.nextOffset).toBe(2n)
  expect(partition.state.position).toMatchObject({ nextOffset: 2n, logTimeMicros: now * 1000 })
  await partition.state.close()
})

test('a batch that does not follow what the state stands for is refused', async () => {
  const { handleBatch, partition, done } = await createTrial('follow')
  await expect(handleBatch(0, partition, [record(1n)], context)).rejects.toMatchObject({
    code: 'offset_unexpected',
  })
  expect(done).toEqual([])
  await partition.state.close()
})

test('an append time more than an hour ahead of the clock stops it before anything is decided', async () => {
  const { handleBatch, partition, done } = await createTrial('ahead')
  const batch = [record(0n, now + 3_600_000), record(1n, now + 3_600_001)]
  await expect(handleBatch(0, partition, batch, context)).rejects.toMatchObject({
    code: 'append_time_ahead',
    retryable: false,
  })
  expect(done).toEqual([])
  await partition.state.close()
})
