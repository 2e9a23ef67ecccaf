import { expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { identityKey, partitionOf, payloadHash } from './event-identity.ts'

test('identity and partition never change', () => {
  expect(identityKey(7, 'service/a', 'event-1').toString('hex')).toBe(
    '00000007ca3c33d6105c92c06697165ae5b43e47',
  )
  expect(partitionOf(identityKey(7, 'service/a', 'event-1'), 8)).toBe(7)
})

test('source and id cannot be shifted into each other, and tenants never meet', () => {
  expect(identityKey(1, 'ab', 'c')).not.toEqual(identityKey(1, 'a', 'bc'))
  expect(identityKey(1, 'a', 'b')).not.toEqual(identityKey(2, 'a', 'b'))
  expect(identityKey(1, 'é'.repeat(2000), 'ü')).toHaveLength(20)
})

test('identities spread evenly over the partitions', () => {
  const counts = new Array<number>(8).fill(0)
  for (let id = 0; id < 80_000; id++) {
    const partition = partitionOf(identityKey(1, 'source', String(id)), 8)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

test('the payload hash covers what the client sent and nothing else', () => {
  const payload = { type: 't', subject: 's', timeMicros: undefined, data: '{"a":1}' }
  expect(payloadHash(payload)).toEqual(payloadHash({ ...payload }))
  expect(payloadHash(payload)).not.toEqual(payloadHash({ ...payload, timeMicros: 0 }))
  expect(payloadHash(payload)).not.toEqual(payloadHash({ ...payload, data: '{"a":2}' }))
  expect(payloadHash({ ...payload, type: 'ts', subject: '' })).not.toEqual(
    payloadHash({ ...payload, type: 't', subject: 's' }),
  )
})

test('canonical JSON has one text for one value', () => {
  expect(canonicalJson(JSON.parse('{"b":1.0,"a":{"d":1e-7,"c":[true,null,"é\\n"]}}'))).toBe(
    '{"a":{"c":[true,null,"é\\n"],"d":0.0000001},"b":1}',
  )
  expect(canonicalJson(-1.5e-9)).toBe('-0.0000000015')
  expect(canonicalJson(1.25e21)).toBe('1250000000000000000000')
  expect(canonicalJson(-0)).toBe('0')
})
