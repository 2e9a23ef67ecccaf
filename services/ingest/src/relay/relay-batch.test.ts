import { Failure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { isTenantId } from '@tidemark/schemas/identifiers.ts'
import { usageEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test } from 'vitest'
import { defaultRules } from '../events/event-rules.ts'
import { createEventEncoder } from '../events/usage-record.ts'
import { createIngestMetrics } from '../ingest-metrics.ts'
import { relayBatch } from './relay-batch.ts'

const at = Date.UTC(2026, 10, 21, 12)
const name = (id: string) => ({ specversion: '1.0', id, source: 's' })
const event = (id: string) => ({ ...name(id), type: 't', subject: 'u' })
const voiding = (id: string, revision: number) => ({
  ...name(id),
  tidemarkaction: 'void',
  tidemarkrevision: revision,
})

/** What lies in the log afterwards, when it refuses the first send for a while. */
async function relayed(values: readonly object[]): Promise<string[]> {
  const id = 'acme'
  if (!isTenantId(id)) throw new Error('no tenant')
  const log: string[] = []
  let sends = 0
  await relayBatch(
    {
      tenant: { id, number: 1, name: 'Acme' },
      topic: 'usage.inbound.acme',
      partition: 0,
      records: values.map((value, offset) => ({
        offset: BigInt(offset),
        key: null,
        value: Buffer.from(JSON.stringify(value)),
        timestampMs: at,
        headers: {},
      })),
      context: {
        isStillAssigned: () => true,
        reportProgress: () => {},
        highWatermark: BigInt(values.length),
      },
    },
    {
      log: createLog({ service: 'ingest', level: 'silent', pretty: false }),
      metrics: createIngestMetrics(
        createMetrics('ingest'),
        () => 0,
        () => 0,
      ),
      rules: defaultRules,
      dataChecks: { of: () => undefined, unread: () => undefined },
      encode: createEventEncoder(1),
      rejectedSchemaId: 2,
      async publish(messages) {
        sends += 1
        if (sends === 1)
          throw new Failure('no broker answers', { code: 'kafka_unavailable', retryable: true })
        for (const { value } of messages) {
          const usage = usageEventType.fromBuffer(value.subarray(5))
          log.push(`${usage.action} ${usage.id}`)
        }
      },
      publishRejected: async () => {},
      stopping: new AbortController().signal,
    },
  )
  return log
}

test('a correction comes behind what it corrects, also where that had to be sent again', async () => {
  const ids = Array.from({ length: 300 }, (_, index) => `e-${index}`)
  const log = await relayed([...ids.map(event), voiding('e-0', 1), voiding('e-0', 2), event('more')])
  expect([...log].sort()).toEqual(
    [...ids.map((id) => `none ${id}`), 'none more', 'void e-0', 'void e-0'].sort(),
  )
  expect(log.indexOf('void e-0')).toBeGreaterThan(log.indexOf('none e-0'))
})
