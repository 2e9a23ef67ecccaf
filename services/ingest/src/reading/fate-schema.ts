import { Type } from 'typebox'
import { offsetSchema, shownEventSchema } from './event-rows.ts'

/** Parameters of `GET /v1/events/lookup`. */
export const fateQuery = Type.Object(
  {
    source: Type.String({ minLength: 1, maxLength: 256, description: 'As it was sent, byte by byte.' }),
    id: Type.String({ minLength: 1, maxLength: 256, description: 'As it was sent, byte by byte.' }),
  },
  { additionalProperties: false },
)

const verdictSchema = Type.Union(
  (['accepted', 'duplicate', 'conflict', 'correction', 'rejected'] as const).map((verdict) =>
    Type.Literal(verdict),
  ),
  {
    description:
      'accepted: it is billed. duplicate: the same payload as `first`, counts once. conflict: another payload than `first`, which stands. rejected: never billed; usage.rejected says why.',
  },
)

const orNull = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

const hour = Type.String({ format: 'date-time', description: 'Begin of the UTC hour of its time.' })

/** The answer of `GET /v1/events/lookup`. */
export const fateSchema = Type.Object({
  source: Type.String(),
  id: Type.String(),
  verdict: verdictSchema,
  event: orNull(shownEventSchema),
  countsIn: orNull(Type.Object({ type: Type.String(), hour })),
  copies: Type.Array(
    Type.Object({
      ...offsetSchema,
      verdict: verdictSchema,
      first: orNull(
        Type.Object(offsetSchema, {
          description: 'The copy that holds the identity: this one itself when accepted.',
        }),
      ),
      appendedAt: Type.String({ format: 'date-time', description: 'When Kafka took it into the log.' }),
      type: Type.String(),
      hour,
      payloadHash: Type.String({ description: 'Equal in copies of one payload.' }),
    }),
    { description: 'All copies in the order of the log, the first 100.' },
  ),
  hasMoreCopies: Type.Boolean(),
})
