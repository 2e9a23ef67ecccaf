import { type Static, Type } from 'typebox'
import type { EventSchema } from './event-schema/event-schema.ts'
import { eventSchemaFault } from './event-schema/soundness.ts'
import { keyPattern, keyText } from './identifiers.ts'
import { quantityRoundingSchema } from './quantity-rounding.ts'

const path = Type.String({
  pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}(\\.[A-Za-z_][A-Za-z0-9_]{0,62}){0,7}$',
  description: 'Field names joined by dots, such as usage.bytes: where in the event’s data it stands',
})

/** Each is told with an example in docs/meters.md. */
export const aggregations = [
  'count',
  'sum',
  'min',
  'max',
  'average',
  'unique-count',
  'latest',
  'time-weighted-sum',
  'time-weighted-max',
  'prorated-sum',
] as const
export type Aggregation = (typeof aggregations)[number]

/** How events become a quantity. A meter never changes: a change is a new version. */
export const meterSchema = Type.Object(
  {
    key: Type.String({ pattern: keyPattern, description: keyText }),
    eventType: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The CloudEvents type that it counts',
    }),
    aggregation: Type.Enum(aggregations),
    valuePath: Type.Optional(path),
    values: Type.Optional(
      Type.Union([Type.Literal('changes'), Type.Literal('levels')], {
        description:
          'Time-weighted meters: whether a value is added to the level, or is the level from then on',
      }),
    ),
    initialValue: Type.Optional(
      Type.String({
        pattern: '^-?\\d{1,29}(\\.\\d{1,9})?$',
        description: 'The level before the first event, such as 5; 0 when left out',
      }),
    ),
    rounding: Type.Optional(quantityRoundingSchema),
    dimensions: Type.Optional(Type.Record(Type.String({ pattern: keyPattern }), path, { maxProperties: 16 })),
    filters: Type.Optional(
      Type.Array(
        Type.Object(
          { path, in: Type.Array(Type.String({ maxLength: 256 }), { minItems: 1, maxItems: 100 }) },
          { additionalProperties: false },
        ),
        { maxItems: 16 },
      ),
    ),
    eventSchema: Type.Optional(
      Type.Unsafe<EventSchema>(
        Type.Object(
          {},
          {
            description:
              'JSON Schema (2020-12) of the data of its event type: ingest refuses events that do not fit',
          },
        ),
      ),
    ),
  },
  { additionalProperties: false },
)

export type Meter = Static<typeof meterSchema>

export type MeterVersion = Meter & { readonly tenant: string; readonly version: number }

/** Meters of a level that stands from event to event, over hours and windows. */
export const isTimeWeighted = ({ aggregation }: Pick<Meter, 'aggregation'>): boolean =>
  aggregation === 'time-weighted-sum' || aggregation === 'time-weighted-max'

/** Meters whose quantity of a window rests on what came before it, too. */
export const isCarried = (meter: Pick<Meter, 'aggregation'>): boolean =>
  isTimeWeighted(meter) || meter.aggregation === 'prorated-sum'

export type MeterFault = { field: string; reason: string }

/** What the shape alone cannot say; undefined when the meter is sound. */
export const meterFault = (meter: Meter): MeterFault | undefined =>
  valuePathFault(meter) ?? valuesFault(meter) ?? initialValueFault(meter) ?? schemaFault(meter)

function valuePathFault({ aggregation, valuePath }: Meter): MeterFault | undefined {
  if (aggregation === 'count' && valuePath !== undefined)
    return { field: 'valuePath', reason: 'a count takes no valuePath: leave it out, or use aggregation sum' }
  if (aggregation === 'count' || valuePath !== undefined) return undefined
  const example =
    aggregation === 'unique-count'
      ? 'whose values are told apart, such as user'
      : 'that is read, such as bytes'
  return {
    field: 'valuePath',
    reason: `aggregation ${aggregation} needs valuePath: the field of data ${example}`,
  }
}

function valuesFault(meter: Meter): MeterFault | undefined {
  if (isTimeWeighted(meter) && meter.values === undefined)
    return {
      field: 'values',
      reason: `aggregation ${meter.aggregation} needs values: changes when a value is added to the level, levels when it is the level from then on`,
    }
  if (isTimeWeighted(meter) || meter.values === undefined) return undefined
  return { field: 'values', reason: `belongs to time-weighted meters; leave it out for ${meter.aggregation}` }
}

const initialValueFault = (meter: Meter): MeterFault | undefined =>
  meter.initialValue === undefined || isCarried(meter)
    ? undefined
    : {
        field: 'initialValue',
        reason: `belongs to time-weighted meters and prorated-sum; leave it out for ${meter.aggregation}`,
      }

function schemaFault({ eventSchema }: Meter): MeterFault | undefined {
  const fault = eventSchema === undefined ? undefined : eventSchemaFault(eventSchema)
  if (fault === undefined) return undefined
  return { field: ['eventSchema', fault.field].filter(Boolean).join('.'), reason: fault.reason }
}
