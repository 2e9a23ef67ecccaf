import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { type Static, Type } from 'typebox'
import { aggregate, type DatedEvent } from '../aggregation.ts'
import { createDateReader, type DateReader } from './dates.ts'
import {
  bodyOf,
  closed,
  idField,
  instantField,
  keyField,
  most,
  signedField,
  timeZoneField,
} from './fields.ts'
import { previewKind } from './kind.ts'

const body = bodyOf('aggregation', {
  aggregation: Type.Object(
    {
      type: Type.Enum(['sum', 'weighted-sum', 'prorated-sum', 'count-distinct']),
      initialValue: Type.Optional(signedField),
      groupBy: Type.Optional(keyField),
      property: Type.Optional(keyField),
      rounding: Type.Optional(
        Type.Object(
          {
            mode: Type.Enum(['round', 'ceil', 'floor']),
            precision: Type.String({
              pattern: '^(-(1?\\d|2[0-8])|\\d|1[0-2])$',
              description: 'Whole number from -28 to 12 as text: decimals that stay',
            }),
          },
          closed,
        ),
      ),
    },
    closed,
  ),
  period: Type.Object({ start: instantField, end: instantField }, closed),
  timeZone: timeZoneField,
  events: Type.Optional(
    Type.Array(
      Type.Object(
        {
          id: Type.Optional(idField),
          time: instantField,
          value: Type.Optional(signedField),
          properties: Type.Optional(
            Type.Record(keyField, Type.String({ maxLength: 256 }), { maxProperties: 16 }),
          ),
          repeat: Type.Optional(Type.String({ pattern: '^\\d{1,9}$', description: 'Whole number as text' })),
        },
        closed,
      ),
      { maxItems: most.events },
    ),
  ),
  generate: Type.Optional(
    Type.Object(
      {
        property: keyField,
        pattern: Type.String({
          pattern: '\\{n\\}',
          maxLength: 64,
          description: 'Text with {n} in it, such as user-{n}',
        }),
        from: Type.String({ pattern: '^\\d{1,15}$', description: 'Whole number as text' }),
        to: Type.String({ pattern: '^\\d{1,15}$', description: 'Whole number as text' }),
      },
      { ...closed, description: 'An event for each number of the inclusive range' },
    ),
  ),
})
type Body = Static<typeof body>

/** Events to a quantity, as a meter makes it: each id once, of the half-open period. */
export const aggregationPreview = previewKind(body, (given) => {
  const { aggregation, period, generate } = given
  const reader = createDateReader(given.timeZone)
  const start = reader.instant('period.start', period.start)
  const end = reader.instant('period.end', period.end)
  const events = readEvents(given, reader)
  const faults = [...reader.faults]
  if (faults.length === 0 && end <= start)
    faults.push({ field: 'period.end', reason: `must come after the start, ${period.start}` })
  if ((given.events === undefined) === (generate === undefined))
    faults.push({ field: 'events', reason: 'give either events or generate' })
  if (generate && aggregation.type !== 'count-distinct')
    faults.push({ field: 'generate', reason: 'makes ids to count: use aggregation type count-distinct' })
  if (generate && Number(generate.to) < Number(generate.from))
    faults.push({ field: 'generate.to', reason: `is below from, ${generate.from}` })
  if (faults.length > 0) return { faults }
  const { rounding } = aggregation
  const quantities = generate
    ? // Each number makes another text of the pattern: the range says how many without making them.
      new Map([['', { coefficient: BigInt(generate.to) - BigInt(generate.from) + 1n, scale: 0 }]])
    : aggregate(aggregation, { start, end }, reader.timeZone, events)
  const shown = [...quantities].map(([group, quantity]) => {
    const rounded = rounding
      ? roundQuantity(quantity, { mode: rounding.mode, precision: Number(rounding.precision) })
      : quantity
    return [group, formatDecimal(rounded)] as const
  })
  const ofAll = Object.fromEntries(shown)
  return {
    answer: {
      ...(aggregation.groupBy === undefined ? { quantity: ofAll[''] ?? '0' } : { groups: ofAll }),
      trace: shown.map(([group, quantity]) => ({
        step: 'aggregation',
        type: aggregation.type,
        from: formatInstant(start),
        to: formatInstant(end),
        ...(group === '' ? {} : { group }),
        quantity,
      })),
    },
  }
})

const readEvents = ({ events = [] }: Body, reader: DateReader): DatedEvent[] =>
  events.map(({ id, time, value = '0', properties = {}, repeat = '1' }, index) => ({
    id: id ?? `#${index}`,
    time: reader.instant(`events.${index}.time`, time),
    value,
    properties,
    times: BigInt(repeat),
  }))
