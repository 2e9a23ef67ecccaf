import { expect, test } from 'vitest'
import type { BatchOutcome, EventResult } from '../events/batch-outcome.ts'
import type { UsageMessage } from '../events/usage-record.ts'
import { possibleConflict, withRecollections } from './recalled-outcome.ts'

const message = (name: string): UsageMessage => ({
  partition: 0,
  key: Buffer.from(name),
  value: Buffer.alloc(0),
  payloadHash: Buffer.alloc(16, name),
})
const accepted = (index: number, id: string): EventResult => ({ index, id, status: 'accepted' })
const rejected: EventResult = {
  index: 1,
  id: null,
  status: 'rejected',
  code: 'attribute_missing',
  field: 'id',
  message: 'This attribute is required.',
}
const [a, b, c] = [message('a'), message('b'), message('c')]
const outcome: BatchOutcome = {
  messages: [a, b, c],
  duplicates: 0,
  rejected: 1,
  results: [accepted(0, 'a'), rejected, accepted(2, 'b'), accepted(3, 'c')],
}

test('what is in the log already is not published again, and what may contradict it is, with a warning', () => {
  expect(withRecollections(outcome, ['same', 'unknown', 'other'], false)).toEqual({
    messages: [b, c],
    duplicates: 1,
    rejected: 1,
    results: [
      { index: 0, id: 'a', status: 'duplicate' },
      rejected,
      { ...accepted(3, 'c'), ...possibleConflict },
    ],
  })
})

test('every event is named where all were asked for', () => {
  const { results } = withRecollections(outcome, ['unknown', 'same', 'unknown'], true)
  expect(results).toEqual([
    accepted(0, 'a'),
    rejected,
    { index: 2, id: 'b', status: 'duplicate' },
    accepted(3, 'c'),
  ])
})

test('where nothing is known, only what is rejected is named', () => {
  const recalled = withRecollections(outcome, ['unknown', 'unknown', 'unknown'], false)
  expect(recalled).toEqual({ ...outcome, results: [rejected] })
})
