import { Type } from 'typebox'

// What the catalogue's routes answer.

const differenceSchema = Type.Object({
  path: Type.String({ description: 'Such as prices[base].amount' }),
  before: Type.Optional(Type.Unknown({ description: 'Left out when it is new.' })),
  after: Type.Optional(Type.Unknown({ description: 'Left out when it is gone.' })),
})

const changeSchema = Type.Object({
  kind: Type.Enum(['seller', 'exchange-rate', 'plan', 'add-on', 'coupon', 'customer', 'subscription']),
  key: Type.String(),
  change: Type.String({ description: 'Such as created, new version, published, changed: name' }),
  version: Type.Optional(Type.Integer()),
  difference: Type.Optional(Type.Array(differenceSchema)),
})

export const applyResultSchema = Type.Object({
  dryRun: Type.Boolean(),
  changes: Type.Array(changeSchema),
  unchanged: Type.Integer({ description: 'How many of the things sent are so already.' }),
})

/** What a version has besides its plan's or add-on's own fields. */
export const versionSchema = Type.Object({
  version: Type.Integer(),
  state: Type.Enum(['draft', 'published', 'deprecated']),
  sha256: Type.String({ description: 'Of the definition’s canonical JSON; certificates name it.' }),
  createdAt: Type.String(),
  publishedAt: Type.Union([Type.String(), Type.Null()]),
  deprecatedAt: Type.Union([Type.String(), Type.Null()]),
})

export const listedSubjectSchema = Type.Object({
  key: Type.String(),
  customer: Type.String(),
  subscription: Type.Union([Type.String(), Type.Null()]),
  from: Type.Union([Type.String(), Type.Null()], { description: 'Null: always.' }),
  to: Type.Union([Type.String(), Type.Null()], { description: 'Null: without an end.' }),
})
