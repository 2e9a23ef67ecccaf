import type { Refusal } from '@tidemark/infra/openapi/operation.ts'
import { usageWindows } from '@tidemark/schemas/usage-window.ts'
import { Type } from 'typebox'

export const queryRefusal = (field: string, reason: string): Refusal => ({
  status: 400,
  code: 'invalid_request',
  detail: `The query is not as expected: ${field} ${reason}.`,
  extensions: { errors: [{ field, reason }] },
})

const text = (description: string) => Type.Optional(Type.String({ description }))

// What the reference tells of the parameters; usage/usage-request.ts reads them, for they depend on the meter.
const range = {
  from: Type.String({ description: 'RFC 3339 with a zone. The range is [from, to).' }),
  to: Type.String({ description: 'RFC 3339 with a zone, at most 400 days after `from`.' }),
}
const chosen = {
  subject: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Only these subjects: give it once for each, up to 100 times.',
    }),
  ),
  'filter.<dimension>': Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Only these values of a dimension of the meter, such as `filter.region=eu`: once for each, up to 100 times.',
    }),
  ),
}
const pages = {
  order: Type.Optional(
    Type.Union([Type.Literal('window'), Type.Literal('value')], {
      default: 'window',
      description: 'By window, subject and dimensions; or the largest values first, which needs groups.',
    }),
  ),
  limit: Type.Integer({ default: 1_000, minimum: 1, maximum: 10_000, description: 'Items of a page.' }),
  cursor: text('`nextCursor` of the page before, with everything else as it was: all pages read one cut.'),
  version: Type.Optional(Type.Integer({ minimum: 1, description: 'Of the meter; the latest by default.' })),
}
const format = Type.Optional(
  Type.Union([Type.Literal('json'), Type.Literal('csv')], {
    description: 'Without it, what `Accept` says. CSV tells cursor and completeness in `tidemark-…` headers.',
  }),
)

export const listQuery = Type.Object({ ...range, ...chosen, ...pages, format })
export const unreadableQuery = Type.Object({ ...range, ...chosen, ...pages })
export const usageQuery = Type.Object({
  ...range,
  window: Type.Optional(
    Type.Enum([...usageWindows], { default: 'none', description: 'At most 9,600 windows.' }),
  ),
  timeZone: text('IANA name such as Asia/Kolkata, for windows and days; UTC by default.'),
  ...chosen,
  groupBy: text('`subject` and names of dimensions, separated by commas.'),
  ...pages,
  format,
})

const head = {
  meter: Type.String(),
  version: Type.Integer(),
  completeUntil: Type.String({
    description: 'Every event acknowledged before this instant is counted.',
  }),
  cut: Type.String({ description: 'What the answer counts: `log/partition:offset`, everything below it.' }),
}
const nextCursor = Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' })

export const usageAnswer = Type.Object({
  ...head,
  from: Type.String(),
  to: Type.String(),
  items: Type.Array(
    Type.Object({
      windowStart: Type.String(),
      windowEnd: Type.String(),
      subject: Type.Optional(Type.String({ description: 'When grouped by it.' })),
      dimensions: Type.Optional(
        Type.Record(Type.String(), Type.String(), { description: 'When grouped by some.' }),
      ),
      value: Type.Union([Type.String(), Type.Null()], {
        description:
          'Exact decimal text; null where there is nothing to tell, such as the least of no values.',
      }),
      eventCount: Type.Integer({ description: 'Events that the meter counts, unreadable ones among them.' }),
      unreadable: Type.Integer({
        description: 'Events whose value the meter cannot read: never taken for zero.',
      }),
    }),
  ),
  nextCursor,
})

export const unreadableAnswer = Type.Object({
  ...head,
  total: Type.Integer({ description: 'In the whole range.' }),
  items: Type.Array(
    Type.Object({
      source: Type.String(),
      id: Type.String(),
      subject: Type.String(),
      time: Type.String(),
      log: Type.Integer({ description: 'With partition and offset: its place in the log.' }),
      partition: Type.Integer(),
      offset: Type.String(),
      value: Type.String({ description: 'Its JSON text, cut when it is long.' }),
      reason: Type.String(),
    }),
  ),
  nextCursor,
})
