import { type Static, Type } from 'typebox'
import { keyPattern, keyText } from './identifiers.ts'

const path = Type.String({
  pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}(\\.[A-Za-z_][A-Za-z0-9_]{0,62}){0,7}$',
  description: 'Field names joined by dots, such as usage.bytes: where in the event’s data it stands',
})

/** How events become a quantity. A meter never changes: a change is a new version. */
export const meterSchema = Type.Object(
  {
    key: Type.String({ pattern: keyPattern, description: keyText }),
    eventType: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The CloudEvents type that it counts',
    }),
    aggregation: Type.Union([Type.Literal('count'), Type.Literal('sum')]),
    valuePath: Type.Optional(path),
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
  },
  { additionalProperties: false },
)

export type Meter = Static<typeof meterSchema>

export type MeterVersion = Meter & { readonly tenant: string; readonly version: number }

/** What the shape alone cannot say; undefined when the meter is sound. */
export function meterFault(meter: Meter): { field: string; reason: string } | undefined {
  if (meter.aggregation === 'sum' && meter.valuePath === undefined)
    return {
      field: 'valuePath',
      reason: 'a sum needs valuePath: the field of data that is added, such as bytes',
    }
  if (meter.aggregation === 'count' && meter.valuePath !== undefined)
    return { field: 'valuePath', reason: 'a count takes no valuePath: leave it out, or use aggregation sum' }
  return undefined
}
