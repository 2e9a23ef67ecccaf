import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { add, type Decimal, decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { type Static, Type } from 'typebox'
import { needsOf } from '../rate.ts'
import type { PricedUsage } from '../rated.ts'
import { closed, idField, keyField, most, quantityField, signedField } from './fields.ts'

const eventField = Type.Object(
  {
    value: signedField,
    properties: Type.Optional(Type.Record(keyField, Type.String({ maxLength: 256 }), { maxProperties: 16 })),
  },
  closed,
)

/** Ways to say what was used; exactly one of them is given. */
export const usageFields = {
  usage: Type.Optional(quantityField),
  usageParts: Type.Optional(
    Type.Object(
      {
        by: Type.Enum(['group', 'window']),
        values: Type.Array(quantityField, { minItems: 1, maxItems: most.parts }),
      },
      { ...closed, description: 'Each part is priced alone, then they are added' },
    ),
  ),
  usagePartitions: Type.Optional(
    Type.Array(Type.Array(signedField, { maxItems: most.events }), {
      minItems: 1,
      maxItems: 20,
      description: 'Ways in which the same usage may arrive; all give the same amount',
    }),
  ),
  usageByUnit: Type.Optional(Type.Record(idField, quantityField, { maxProperties: 16 })),
  events: Type.Optional(
    Type.Array(Type.Union([signedField, eventField]), {
      maxItems: most.events,
      description: 'Values in order, with properties where filters ask for them',
    }),
  ),
  changes: Type.Optional(
    Type.Array(Type.Object({ quantity: signedField, proratedQuantity: signedField }, closed), {
      maxItems: most.parts,
    }),
  ),
}

const usageSchema = Type.Object(usageFields)
export type UsageInput = Static<typeof usageSchema>

type InputName = keyof typeof usageFields
const inputNames = Object.keys(usageFields) as InputName[]

/** What a price can be given: by its model, and by what it needs. */
function inputsFor(price: Price): readonly InputName[] {
  const needs = needsOf(price)
  if (needs.changes) return ['changes']
  if (price.model === 'capacity' || (price.model === 'blocks' && price.units !== undefined))
    return ['usageByUnit']
  return needs.events ? ['events'] : ['usage', 'usageParts', 'usagePartitions', 'events']
}

export type ReadUsage = {
  /** Each priced alone. */
  readonly parts: readonly PricedUsage[]
  /** Whether the parts are the same usage in other pieces, and not to be added. */
  readonly isPartitioned: boolean
}

export function readUsage(
  price: Price,
  input: UsageInput,
  selection: string | undefined,
): ReadUsage | { readonly faults: readonly FieldError[] } {
  const given = inputNames.filter((name) => input[name] !== undefined)
  const allowed = inputsFor(price)
  const [name] = given
  if (price.model !== 'flat' && (given.length !== 1 || name === undefined || !allowed.includes(name)))
    return {
      faults: [
        {
          field: given.find((each) => !allowed.includes(each)) ?? allowed[0] ?? 'usage',
          reason: `a price of model ${price.model} takes exactly one of ${allowed.join(', ')}`,
        },
      ],
    }
  const selected = selection === undefined ? {} : { tierSelectionQuantity: decimal(selection) }
  const parts = partsOf(input).map((part) => ({ ...part, ...selected }))
  return { parts, isPartitioned: input.usagePartitions !== undefined }
}

function partsOf(input: UsageInput): PricedUsage[] {
  const { usage, usageParts, usagePartitions, usageByUnit, events, changes } = input
  if (usageParts) return usageParts.values.map((value) => ({ quantity: decimal(value) }))
  if (usagePartitions) return usagePartitions.map((values) => ({ quantity: sumOf(values.map(decimal)) }))
  if (usageByUnit) {
    const units = new Map(Object.entries(usageByUnit).map(([unit, value]) => [unit, decimal(value)]))
    return [{ quantity: sumOf([...units.values()]), units }]
  }
  if (events) return [eventsUsage(events)]
  if (changes)
    return [
      {
        quantity: sumOf(changes.map(({ quantity }) => decimal(quantity))),
        changes: changes.map(({ quantity, proratedQuantity }) => ({
          quantity: decimal(quantity),
          proratedQuantity: decimal(proratedQuantity),
        })),
      },
    ]
  return [{ quantity: decimal(usage ?? '0') }]
}

function eventsUsage(events: NonNullable<UsageInput['events']>): PricedUsage {
  const values = events.map((event) => decimal(typeof event === 'string' ? event : event.value))
  const matched = events.map((event, index) => ({
    match: (typeof event === 'string' ? undefined : event.properties) ?? {},
    quantity: values[index] ?? zero,
  }))
  return { quantity: sumOf(values), events: values, matched }
}

const sumOf = (values: readonly Decimal[]): Decimal => values.reduce(add, zero)
