import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import type { OutboundMessage } from './record.ts'
import { encodeRecordBatch } from './record-batch.ts'

const read = (bytes: Buffer) => readRecordsBatch(Reader.from(bytes))

const message = (value: Buffer, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  partition: 3,
  key: Buffer.from('key'),
  value,
  ...more,
})

test('records come back as they were, under a checksum that holds', () => {
  const values = Array.from({ length: 300 }, (_, at) => Buffer.alloc(at, at))
  const bytes = encodeRecordBatch(
    values.map((value) => message(value)),
    1_700_000_000_000,
  )
  const batch = read(bytes)
  expect(bytes.length).toBe(batch.length + 12)
  expect(batch).toMatchObject({
    magic: 2,
    attributes: 0,
    firstTimestamp: 1_700_000_000_000n,
    maxTimestamp: 1_700_000_000_000n,
    lastOffsetDelta: 299,
    producerId: -1n,
    producerEpoch: -1,
    firstSequence: -1,
  })
  expect(batch.crc).toBe(crc32c(bytes.subarray(21)))
  expect(batch.records.map(({ offsetDelta }) => offsetDelta)).toEqual(values.map((_, at) => at))
  expect(batch.records.map(({ value }) => value)).toEqual(values)
})

test('a key may be text or absent, and headers bytes or text', () => {
  const headers = { trace: 'ä', raw: Buffer.from([0, 255]) }
  const { records } = read(
    encodeRecordBatch(
      [message(Buffer.from('a'), { key: null, headers }), message(Buffer.from('b'), { key: 'Schlüssel' })],
      0,
    ),
  )
  expect(records.map(({ key }) => key?.toString() ?? null)).toEqual([null, 'Schlüssel'])
  expect(records[0]?.headers).toEqual([
    [Buffer.from('trace'), Buffer.from('ä')],
    [Buffer.from('raw'), Buffer.from([0, 255])],
  ])
  expect(records[1]?.headers).toEqual([])
})

test('a record larger than what is kept at hand does not harm those before it', () => {
  const values = [Buffer.alloc(10, 1), Buffer.alloc(900_000, 2), Buffer.alloc(10, 3)]
  const batch = read(
    encodeRecordBatch(
      values.map((value) => message(value)),
      1,
    ),
  )
  expect(batch.records.map(({ value }) => [value?.length, value?.[0]])).toEqual([
    [10, 1],
    [900_000, 2],
    [10, 3],
  ])
})
