import { messageBytes } from '@tidemark/infra/kafka/record.ts'
import { identityKey, partitionOf, payloadHash } from '@tidemark/schemas/event-identity.ts'
import { usageEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test } from 'vitest'
import { createEventEncoder } from './usage-record.ts'
import type { ValidEvent } from './validate-event.ts'

const origin = { tenant: 'acme', tenantNumber: 7, acceptedAt: 1_700_000_000_000_000 }
const framingBytes = 5

const eventOf = (id: string, more: Partial<ValidEvent> = {}): ValidEvent => ({
  kind: 'event',
  id,
  source: '/s',
  action: 'none',
  revision: 0,
  type: 'call',
  subject: 'c',
  timeMicros: undefined,
  data: `{"id":"${id}"}`,
  ...more,
})

test('events that share their bytes keep each its own, however many and however large', () => {
  const encode = createEventEncoder(258, 8)
  const large = `{"text":"${'ä'.repeat(32_000)}"}`
  const huge = `{"text":"${'x'.repeat(200_000)}"}`
  const events = Array.from({ length: 2_000 }, (_, at) =>
    eventOf(`e-${at}`, at % 500 === 7 ? { data: large } : at === 1_000 ? { data: huge } : {}),
  )
  const messages = events.map((event) => encode(event, origin))
  for (const [at, message] of messages.entries()) {
    const event = events[at] ?? eventOf('none')
    const key = identityKey(7, event.source, event.id)
    const hash = payloadHash(event)
    expect(message.key).toEqual(key)
    expect(message.partition).toBe(partitionOf(key, 8))
    expect(message.payloadHash).toEqual(hash)
    expect(message.value.subarray(0, framingBytes)).toEqual(Buffer.from([0, 0, 0, 1, 2]))
    expect(usageEventType.fromBuffer(message.value.subarray(framingBytes))).toMatchObject({
      id: event.id,
      data: event.data,
      payloadHash: hash,
      time: origin.acceptedAt,
    })
    const { partition, value } = message
    expect(messageBytes(message)).toBe(messageBytes({ partition, key, value }))
  }
})

test('a correction has no payload hash to be recalled by', () => {
  const encode = createEventEncoder(1)
  expect(encode(eventOf('a', { action: 'correct', revision: 1 }), origin).payloadHash).toBeUndefined()
})
