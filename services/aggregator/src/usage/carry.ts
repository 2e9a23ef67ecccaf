import { type Decimal, divideHalfAwayFromZero } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

/** What happened to one group in one span; levels and changes are whole numbers of 10^-9. */
export type Movement = {
  readonly change: bigint
  /** Sum of the changes times their instants in microseconds: until T they make an area of T × change − moment. */
  readonly moment: bigint
  /** Series whose first event lies here. */
  readonly started: number
  /** The highest sum of all changes so far, at an instant of the span. */
  readonly peak: bigint | undefined
  readonly firstAt: Micros1970 | undefined
}

/** A window, or a day in it: [start, end). */
export type Span = { readonly start: Micros1970; readonly end: Micros1970 }

/** A window in its days, where the aggregation counts days; else it is its only span. */
export type CarriedWindow = Span & { readonly days: readonly Span[] }

const scale = 12
/** From 10^-9 to the 12 decimals of a quotient. */
const toScale = 1_000n

/** Takes the windows of one group in order and tells the value of each; undefined while no series has begun. */
export type Carry = {
  /** Before the first window. */
  skip(movement: Movement): void
  next(window: CarriedWindow, movementOf: (span: Span) => Movement | undefined): Decimal | undefined
}

/**
 * Carries the level of one group from window to window. The initial level stands from the start of the window in which a
 * series has its first event.
 */
export function createCarry(aggregation: Meter['aggregation'], initial: bigint): Carry {
  let level = 0n
  let started = 0
  /** Of all series so far: what the peaks and changes leave out. */
  const initials = (): bigint => initial * BigInt(started)

  function begin(movements: readonly Movement[]): void {
    const begun = movements.reduce((sum, movement) => sum + movement.started, 0)
    started += begun
    level += initial * BigInt(begun)
  }

  function weighted({ start, end }: Span, { change, moment }: Pick<Movement, 'change' | 'moment'>): Decimal {
    const area = level * BigInt(end - start) + BigInt(end) * change - moment
    return { coefficient: divideHalfAwayFromZero(area * toScale, BigInt(end - start)), scale }
  }

  /** A level counts that stood for a while: what the window begins with does unless it changes that very instant. */
  function highest({ start }: Span, movement: Movement | undefined): Decimal {
    const peak = movement?.peak === undefined ? level : movement.peak + initials()
    const found = movement?.firstAt === start || peak > level ? peak : level
    return { coefficient: found, scale: 9 }
  }

  /** Each change counts for the days from its own to the last of the window. */
  function prorated(days: readonly Span[], movementOf: (span: Span) => Movement | undefined): Decimal {
    const all = BigInt(days.length)
    const dayUnits = days.reduce(
      (sum, day, index) => sum + (movementOf(day)?.change ?? 0n) * (all - BigInt(index)),
      level * all,
    )
    return { coefficient: divideHalfAwayFromZero(dayUnits * toScale, all), scale }
  }

  return {
    skip(movement) {
      begin([movement])
      level += movement.change
    },
    next(window, movementOf) {
      const movements = window.days.flatMap((day) => movementOf(day) ?? [])
      begin(movements)
      const movement = movements[0]
      const change = movements.reduce((sum, each) => sum + each.change, 0n)
      const value =
        aggregation === 'prorated-sum'
          ? prorated(window.days, movementOf)
          : aggregation === 'time-weighted-max'
            ? highest(window, movement)
            : weighted(window, movement ?? { change: 0n, moment: 0n })
      level += change
      return started === 0 ? undefined : value
    },
  }
}
