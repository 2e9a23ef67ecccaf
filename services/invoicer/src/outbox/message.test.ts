import { expect, test } from 'vitest'
import { outboxMessage, partitionOfKey } from './message.ts'

test('the partition of a key never changes', () => {
  const keys = ['acme/customer-1', 'acme/customer-2', 'globex/customer-1', 'acme/café']
  expect(keys.map((key) => partitionOfKey(key, 4))).toEqual([2, 0, 2, 3])
})

test('a record is the event as it was stored, under its key', () => {
  const message = outboxMessage(
    { id: 7n, key: 'acme/customer-1', event: { id: 'e-1', data: { total: '1.00' } } },
    4,
  )
  expect(message).toMatchObject({
    key: 'acme/customer-1',
    partition: partitionOfKey('acme/customer-1', 4),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  })
  expect(message.value.toString()).toBe('{"id":"e-1","data":{"total":"1.00"}}')
})
