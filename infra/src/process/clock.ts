/** The only source of the present; whatever decides by time takes one, so that tests can stand still. */
export type Clock = {
  /** Milliseconds since 1970 UTC. */
  now(): number
  /** Whole microseconds since 1970 UTC; a safe integer until the year 2255. */
  nowMicros(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  nowMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
}

export type TestClock = Clock & {
  set(ms: number): void
  advance(ms: number): void
}

/** A clock that moves only when it is told to. */
export function createTestClock(startMs: number): TestClock {
  let currentMs = startMs
  return {
    now: () => currentMs,
    nowMicros: () => Math.round(currentMs * 1000),
    set: (ms) => {
      currentMs = ms
    },
    advance: (ms) => {
      currentMs += ms
    },
  }
}
