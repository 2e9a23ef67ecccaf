import { expect, test } from 'vitest'
import { createTestClock, systemClock } from './clock.ts'

test('the test clock moves only when told to', () => {
  const clock = createTestClock(1_000)
  expect([clock.now(), clock.nowMicros()]).toEqual([1_000, 1_000_000])
  clock.advance(500)
  expect(clock.now()).toBe(1_500)
  clock.set(10)
  expect(clock.nowMicros()).toBe(10_000)
})

test('the system clock gives whole microseconds in step with its milliseconds', () => {
  const micros = systemClock.nowMicros()
  expect(Number.isSafeInteger(micros)).toBe(true)
  expect(Math.abs(micros / 1000 - systemClock.now())).toBeLessThan(1_000)
})
