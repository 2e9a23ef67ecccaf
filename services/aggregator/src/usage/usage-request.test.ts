import { expect, test } from 'vitest'
import { parseUsageRequest } from './usage-request.ts'

const meter = { key: 'calls', eventType: 'api.call', aggregation: 'count' } as const
const range = { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' }

test('a parameter that is given twice is refused: half of a question would be answered otherwise', () => {
  for (const field of ['subject', 'cursor', 'limit', 'groupBy'])
    expect(() => parseUsageRequest({ ...range, [field]: ['a', 'b'] }, meter)).toThrow(
      `${field} is given more than once`,
    )
})
