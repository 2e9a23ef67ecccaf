import { expect, test } from 'vitest'
import { createPatience } from './patience.ts'

const cell = { tenant: 'acme', type: 'api.call', hour: 7200 }
const patience = () => createPatience({ quietMs: 10, mostMs: 100, retryMs: 50 })

test('a cell that does not change is due at once', () => {
  expect(patience().isDue(cell, undefined, 1_000)).toBe(true)
})

test('a cell that has changed waits until it is quiet', () => {
  const waiting = patience()
  expect(waiting.isDue(cell, 'a/1', 1_000)).toBe(false)
  expect(waiting.isDue(cell, 'a/2', 1_009)).toBe(false)
  expect(waiting.isDue(cell, 'a/2', 1_018)).toBe(false)
  expect(waiting.isDue(cell, 'a/2', 1_019)).toBe(true)
})

test('a cell that never becomes quiet is due after the longest wait', () => {
  const waiting = patience()
  const answers = Array.from({ length: 13 }, (_, step) => waiting.isDue(cell, `a/${step}`, 1_000 + step * 9))
  expect(answers.indexOf(true)).toBe(12)
})

test('an unproved cell is left alone for a while', () => {
  const waiting = patience()
  waiting.isDue(cell, undefined, 1_000)
  waiting.postpone(cell, 1_000)
  expect(waiting.isDue(cell, undefined, 1_049)).toBe(false)
  expect(waiting.isDue(cell, undefined, 1_050)).toBe(true)
})

test('a cell that is clean again starts anew', () => {
  const waiting = patience()
  waiting.isDue(cell, 'a/1', 1_000)
  waiting.keep([])
  expect(waiting.isDue(cell, 'a/1', 1_200)).toBe(false)
})
