import { expect, it } from 'vitest'
import { type Horizon, reach } from './watermarks.ts'

it('counts the latest instant whose end was processed and waits for the others', () => {
  const horizons = [
    { at: 1, end: 10n },
    { at: 2, end: 20n },
    { at: 3, end: 30n },
  ]
  expect(reach(horizons, 9n)).toEqual({ reached: undefined, waiting: horizons })
  expect(reach(horizons, 20n)).toEqual({ reached: horizons[1], waiting: [horizons[2]] })
  expect(reach(horizons, 31n)).toEqual({ reached: horizons[2], waiting: [] })
})

it('keeps the oldest and the newest instant while a partition lags for long', () => {
  let waiting: Horizon[] = []
  for (let at = 0; at < 1_000; at += 1) {
    const result = reach([...waiting, { at, end: BigInt(at + 1) }], 0n)
    expect(result.reached).toBeUndefined()
    waiting = result.waiting
  }
  expect(waiting.length).toBeLessThanOrEqual(64)
  expect(waiting[0]?.at).toBe(0)
  expect(waiting.at(-1)?.at).toBe(999)
})
