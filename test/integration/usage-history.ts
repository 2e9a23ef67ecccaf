import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { LoggedEvent } from './usage-log.ts'

/** Random numbers that a seed repeats (mulberry32). */
export function createRandom(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    pick: <T>(values: readonly T[], otherwise: T): T => values[below(values.length)] ?? otherwise,
  }
}

export type Random = ReturnType<typeof createRandom>

const quantities = [
  1,
  2.5,
  0.000001,
  1e-7,
  '1.000000001',
  '-3',
  '12345678901234567890123456789.5',
  'none',
  null,
]

/** An event at a whole second or a boundary of an hour within [from, to). */
export function randomEvent(random: Random, from: Micros1970, to: Micros1970): LoggedEvent {
  const hours = (to - from) / 3_600_000_000
  const hour = from + random.below(hours) * 3_600_000_000
  return {
    tenant: random.pick(['acme', 'acme', 'other'], 'acme'),
    type: random.pick(['api.call', 'api.call', 'other'], 'api.call'),
    subject: random.pick(['alice', 'alice', 'alice', 'bob', 'carol'], 'alice'),
    time: random.below(4) === 0 ? hour : hour + random.below(3_600_000_000),
    data: {
      bytes: random.pick(quantities, 1),
      region: random.pick(['eu', 'eu', 'us', ''], 'eu'),
      tier: random.below(2),
    },
  }
}
