import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { isTenantId } from '@tidemark/schemas/identifiers.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test } from 'vitest'
import { defaultRules } from '../events/event-rules.ts'
import { createEventEncoder } from '../events/usage-record.ts'
import { judge } from './judge.ts'

const at = Date.UTC(2026, 10, 21, 12) * 1000

const correction: UsageEvent = {
  tenant: 'acme',
  tenantNumber: 7,
  id: 'e-1',
  source: '/api',
  type: 'api.request',
  subject: 'customer-1',
  time: at - 1_000,
  acceptedAt: at,
  data: '{"tokens":12}',
  payloadHash: payloadHash({
    type: 'api.request',
    subject: 'customer-1',
    timeMicros: at - 1_000,
    data: '{"tokens":12}',
  }),
  action: 'correct',
  revision: 3,
}
const nothing = { type: '', subject: '', data: '' }
const voiding: UsageEvent = {
  ...correction,
  ...nothing,
  time: at,
  payloadHash: payloadHash({ ...nothing, timeMicros: undefined }),
  action: 'void',
}

/** What comes again of a correction that the aggregator refused, for its original had not come. */
async function replayed(usage: UsageEvent): Promise<unknown> {
  const id = usage.tenant
  if (!isTenantId(id)) throw new Error('no tenant')
  const event = {
    tenant: 'acme',
    code: 'unknown_original',
    reason: '',
    original: Buffer.from(usageEventType.toBuffer(usage)),
    contentType: 'avro/binary',
    originTopic: 'usage.events.1',
    originPartition: 0,
    originOffset: 5,
    originTime: at / 1000,
  }
  const judged = await judge(
    { event, headers: {}, origin: 'usage.events.1/0/5', place: 'usage.rejected/0/0' },
    {
      tenants: new Map([['acme', { id, number: 7, name: 'Acme' }]]),
      rules: defaultRules,
      dataChecks: { of: () => undefined, unread: () => undefined },
      encode: createEventEncoder(1),
      decodeUsage: async (value) => ({ kind: 'ok', value: usageEventType.fromBuffer(value) }),
    },
  )
  return judged.kind === 'message' ? usageEventType.fromBuffer(judged.message.value.subarray(5)) : judged
}

test.each([correction, voiding])('a correction comes again as it was ($action)', async (usage) => {
  expect(await replayed(usage)).toMatchObject({ ...usage })
})
