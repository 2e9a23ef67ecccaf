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
      'accepted: it is billed, unless a correction supersedes it. duplicate: the same payload as `first`, counts once. conflict: another payload than `first`, which stands. correction: stands for what it supersedes; a void for nothing. rejected: never billed; usage.rejected says why.',
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
  history: Type.Array(
    Type.Object({
      ...offsetSchema,
      action: Type.Union([Type.Literal('none'), Type.Literal('void'), Type.Literal('correct')]),
      revision: Type.Integer({ description: '0 of the event itself.' }),
      event: orNull(shownEventSchema),
      supersededBy: orNull(Type.Object(offsetSchema)),
    }),
    {
      description:
        'What the event said, in the order in which it was in force: as it was accepted, then each correction. A void has no event.',
    },
  ),
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
      type: orNull(Type.String()),
      hour: orNull(hour),
      payloadHash: Type.String({ description: 'Equal in copies of one payload.' }),
    }),
    { description: 'All copies in the order of the log, the first 100.' },
  ),
  hasMoreCopies: Type.Boolean(),
})
