import { MultipleErrors, NetworkError, ResponseError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { asKafkaFailure } from './kafka-failure.ts'
import { acknowledgedPartitions, hasStaleMetadata } from './produce-failure.ts'

const notLeader = 6
const tooLarge = 10
const produceApi = 0

/** What the library throws when a broker refuses some partitions of a Produce request. */
function refusal(errorCode: number, refused: number[], taken: number[]): ResponseError {
  const answers = [
    ...refused.map((index) => ({ index, errorCode })),
    ...taken.map((index) => ({ index, errorCode: 0 })),
  ]
  const errors = Object.fromEntries(
    refused.map((index): [string, [number, null]] => [`/${index}`, [errorCode, null]]),
  )
  return new ResponseError(produceApi, 11, errors, {
    responses: [{ name: 't', partitionResponses: answers }],
  })
}

test('partitions that took their messages are known, whichever broker answered for them', () => {
  const failed = new MultipleErrors('Producing messages failed.', [
    refusal(notLeader, [0, 2], [1, 4]),
    new NetworkError('gone'),
  ])
  Object.assign(failed, { produced: { offsets: [{ topic: 't', partition: 7, offset: 3n }] } })
  expect([...acknowledgedPartitions(failed)].sort()).toEqual([1, 4, 7])
  expect([...acknowledgedPartitions(new NetworkError('gone'))]).toEqual([])
})

test('a partition that has moved makes the next attempt ask who leads it', () => {
  expect(hasStaleMetadata(new MultipleErrors('x', [refusal(notLeader, [0], [])]))).toBe(true)
  expect(hasStaleMetadata(refusal(tooLarge, [0], []))).toBe(false)
  expect(hasStaleMetadata(new NetworkError('gone'))).toBe(false)
})

test('what a broker refused is named as the broker names it; a lost connection may be tried again', () => {
  const large = asKafkaFailure(new MultipleErrors('x', [refusal(tooLarge, [0], [1])]), 'sending')
  expect(large).toMatchObject({ code: 'record_too_large', retryable: false })
  const lost = asKafkaFailure(new MultipleErrors('x', [new NetworkError('gone')]), 'sending')
  expect(lost).toMatchObject({ code: 'kafka_unavailable', retryable: true })
})
