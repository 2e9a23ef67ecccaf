import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'

/** What a price is applied to. Which parts a price needs, `needsOf` in rate.ts says; the others may be left out. */
export type PricedUsage = {
  /** The meter's quantity; for a price without a meter the subscription's own (seats). */
  readonly quantity: Decimal
  /** Picks the tier of a volume price in place of the quantity: the full units of a prorated quantity. */
  readonly tierSelectionQuantity?: Decimal
  /** Values of the single events in order (time, source, id); only for models that charge by event. */
  readonly events?: readonly Decimal[]
  /** The quantity by the values of the dimensions that the price's filters name; they sum up to `quantity`. */
  readonly matched?: readonly MatchedQuantity[]
  /** Quantities by meter, for prices with several. */
  readonly units?: ReadonlyMap<string, Decimal>
  /** In the order of time; only for graduated-prorated. */
  readonly changes?: readonly QuantityChange[]
  /** carryTiers: what earlier segments of the period have used of the tiers and included quantities. */
  readonly already?: Decimal
  /** carryTiers: how many events they had, for free events. */
  readonly alreadyEvents?: number
  /**
   * The served part of a full period. It scales the amount of a price without a meter, and of a metered one the minimum of
   * its commitment only: usage is never prorated.
   */
  readonly factor?: Fraction
}

export type Fraction = { readonly numerator: bigint; readonly denominator: bigint }

export type MatchedQuantity = {
  readonly match: Readonly<Record<string, string>>
  readonly quantity: Decimal
}

/** A change of a level, and the part of it that counts for the time that is left of the period. */
export type QuantityChange = { readonly quantity: Decimal; readonly proratedQuantity: Decimal }

/** A period may hold a million events; a trace shows the first of them. */
export const tracedEvents = 1_000

/** A step of a calculation while it is made; it becomes text only for who reads it. */
export type Step = { readonly step: string; readonly [number: string]: string | Decimal }

/** What a model makes of a quantity, in major units, before any rounding: `exact`, or `exact / divisor`. */
export type ExactAmount = {
  readonly exact: Decimal
  readonly divisor?: bigint
  readonly steps: readonly Step[]
}

/** One step of a calculation in decimal text: what it is, and the numbers that went in and came out. */
export type TraceStep = { readonly step: string; readonly [number: string]: string }

export type RatedPrice = {
  /** In major units, before the one rounding (and before the factor of a part of a period). */
  readonly exact: Decimal
  /** Rounded once, half away from zero, to the currency's minor unit. */
  readonly amountMicros: Micros
  /** How it came about; made when it is asked for. */
  readonly trace: readonly TraceStep[]
}

/** What a price rests on, and so what has to be read for it. */
export type PriceNeeds = {
  /** Whether each event counts by itself, in order. */
  readonly events: boolean
  /** Whether the changes of a level count, each with its time. */
  readonly changes: boolean
  /** Dimensions by whose values the usage is grouped or chosen. */
  readonly dimensions: readonly string[]
  readonly meters: readonly string[]
}
