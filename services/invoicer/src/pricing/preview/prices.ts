import {
  add,
  type Decimal,
  decimal,
  divideHalfAwayFromZero,
  formatDecimal,
  powerOfTen,
  zero,
} from '@tidemark/schemas/decimal.ts'
import { type Currency, formatMicros, type Micros } from '@tidemark/schemas/money.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { amountSchema, factorSchema } from '@tidemark/schemas/price-field.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { type Static, Type } from 'typebox'
import { partOfDecimal, whole } from '../fraction.ts'
import { ratePrice } from '../rate.ts'
import type { RatedPrice, TraceStep } from '../rated.ts'
import { bodyOf, closed, quantityField } from './fields.ts'
import { type PreviewAnswer, type Previewed, previewKind } from './kind.ts'
import { loosePrice, readPrice } from './read-price.ts'
import { type ReadUsage, readUsage, usageFields } from './usage-input.ts'

const roundingField = Type.Object(
  {
    mode: Type.Enum(['round', 'ceil', 'floor']),
    precision: Type.String({
      pattern: '^(-(1?\\d|2[0-8])|\\d|1[0-2])$',
      description: 'Whole number from -28 to 12 as text: decimals that stay',
    }),
  },
  closed,
)

const priceFields = {
  price: loosePrice,
  ...usageFields,
  usageRounding: Type.Optional(roundingField),
  tierSelectionUsage: Type.Optional(quantityField),
  alreadyBilled: Type.Optional(amountSchema),
  convention: Type.Optional(
    Type.Object(
      {
        zeroUsageFlatFee: Type.Optional(Type.Boolean()),
        packageRounding: Type.Optional(Type.Enum(['up', 'down'])),
      },
      closed,
    ),
  ),
}
const priceBody = bodyOf('price', priceFields)
const commitmentBody = bodyOf('commitment', {
  ...priceFields,
  commitment: Type.Object({ minimum: amountSchema, overageFactor: Type.Optional(factorSchema) }, closed),
})

/** A quantity, parts of it, events or changes of a level, by a price of any model. */
export const pricePreview = previewKind(priceBody, (body) => previewPrice(body, {}))

/** The same under a commitment of the price's own. */
export const commitmentPreview = previewKind(commitmentBody, ({ commitment, ...body }) =>
  previewPrice({ ...body, kind: 'price' }, { commitment }),
)

function previewPrice(body: Static<typeof priceBody>, more: Readonly<Record<string, unknown>>): Previewed {
  const { currency, usageRounding, tierSelectionUsage, alreadyBilled, convention } = body
  const rounding = usageRounding && {
    usageRounding: { mode: usageRounding.mode, precision: Number(usageRounding.precision) },
  }
  const read = readPrice(body.price, { ...convention, ...rounding, ...more }, currency)
  if ('faults' in read) return read
  const usage = readUsage(read.price, body, tierSelectionUsage)
  if ('faults' in usage) return usage
  return { answer: answerOf(read.price, usage, currency, alreadyBilled) }
}

function answerOf(
  price: Price,
  { parts, isPartitioned }: ReadUsage,
  currency: Currency,
  alreadyBilled = '0',
): PreviewAnswer {
  const rated = parts.map((part) => ratePrice(price, part, currency))
  // Partitions are one usage: the first stands for all, and all are shown.
  const counted = isPartitioned ? rated.slice(0, 1) : rated
  const used = (isPartitioned ? parts.slice(0, 1) : parts).map(({ quantity }) => quantity).reduce(add, zero)
  const gross = counted.reduce((sum, { amountMicros }) => sum + amountMicros, 0n)
  const already = partOfDecimal(decimal(alreadyBilled), whole, currency)
  const shown = (micros: Micros) => formatMicros(micros, currency)
  const usageRounding = price.model === 'flat' ? undefined : price.usageRounding
  return {
    amount: shown(gross - already),
    exactAmount: formatDecimal(counted.map(({ exact }) => exact).reduce(add, zero)),
    grossAmount: shown(gross),
    ...unitAmountOf(gross, used),
    billedUsage: formatDecimal(roundQuantity(used, usageRounding)),
    ...(parts.length > 1 ? { perPart: rated.map(({ amountMicros }) => shown(amountMicros)) } : {}),
    ...detailOf(rated),
    trace: traceOf(rated),
  }
}

/** Of the steps of one calculation: what each tier, event, unit and filter comes to. */
function detailOf([rated, ...others]: readonly RatedPrice[]): Record<string, unknown> {
  if (rated === undefined || others.length > 0) return {}
  const of = (step: string) => rated.trace.filter((each) => each.step === step)
  const amounts = (step: string) => of(step).map(({ amount }) => amount)
  const units = of('unit').map(({ unit, amount }) => [unit, amount])
  return {
    ...(of('tier').length > 0 && units.length === 0
      ? { perTier: of('tier').map(({ step: _, ...tier }) => tier) }
      : {}),
    ...(of('event').length > 0 ? { perEvent: amounts('event') } : {}),
    ...(units.length > 0 ? { perUnit: Object.fromEntries(units) } : {}),
    ...(of('filter').length > 0 ? { perFilter: amounts('filter') } : {}),
  }
}

const unitDecimals = 12

/** Amount over usage, to twelve decimals as averages are. */
function unitAmountOf(amountMicros: Micros, used: Decimal): { unitAmount?: string } {
  if (used.coefficient <= 0n) return {}
  const numerator = amountMicros * powerOfTen(used.scale + unitDecimals)
  const coefficient = divideHalfAwayFromZero(numerator, used.coefficient * 1_000_000n)
  return { unitAmount: formatDecimal({ coefficient, scale: unitDecimals }) }
}

const traceOf = (rated: readonly RatedPrice[]): TraceStep[] =>
  rated.length === 1
    ? rated.flatMap(({ trace }) => trace)
    : rated.flatMap(({ trace }, index) => [{ step: 'part', part: String(index + 1) }, ...trace])
