import { expect, test } from 'vitest'
import { holdAgainstLogs, sumOf } from './inbound-log.ts'

const range = (earliest: bigint, end: bigint) => ({ earliest, end })

test('a partition whose log lost its place is told and left out, the others count', () => {
  const ranges = new Map([
    [
      'a',
      new Map([
        [0, range(5n, 9n)],
        [1, range(5n, 9n)],
        [2, range(0n, 3n)],
        [3, range(0n, 3n)],
      ]),
    ],
    ['b', new Map([[0, range(7n, 7n)]])],
  ])
  const done = new Map([
    [
      'a',
      new Map([
        [0, 4n],
        [1, 5n],
        [2, 4n],
        [3, 3n],
      ]),
    ],
  ])
  const found = holdAgainstLogs(ranges, done)
  expect(found.stopped).toEqual([
    { topic: 'a', partition: 0, code: 'log_truncated' },
    { topic: 'a', partition: 2, code: 'log_rewound' },
    // Nothing of it was ever relayed, and its beginning is gone.
    { topic: 'b', partition: 0, code: 'log_truncated' },
  ])
  expect(found.relayed.get('a')).toEqual(
    new Map([
      [1, 5n],
      [3, 3n],
    ]),
  )
  expect([sumOf(found.ends), sumOf(found.relayed)]).toEqual([12n, 8n])
})
