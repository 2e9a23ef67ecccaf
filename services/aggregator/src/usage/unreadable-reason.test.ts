import { expect, test } from 'vitest'
import { unreadableReason } from './unreadable-reason.ts'

const meter = { key: 'm', eventType: 'x', aggregation: 'sum', valuePath: 'usage.bytes' } as const

test.each([
  ['', 'there is no value at usage.bytes'],
  ['null', 'is null'],
  ['{"a":1}', 'is an object'],
  ['[1]', 'is a list'],
  ['true', 'no plain decimal'],
  ['"none"', 'no plain decimal'],
  ['"1e400"', 'no plain decimal'],
  ['"123456789012345678901234567890"', '30 integer digits'],
  ['"-0.0000000001"', '10 decimals'],
])('%s: %s', (raw, reason) => {
  expect(unreadableReason(meter, raw)).toContain(reason)
})
