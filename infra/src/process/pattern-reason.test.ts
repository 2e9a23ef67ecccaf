import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { explainPatterns } from './pattern-reason.ts'

const id = Type.String({ pattern: '^[a-z]$', description: 'Lower-case text' })
const zone = Type.String({ pattern: '/', description: 'IANA name such as Europe/Berlin' })
const schema = Type.Object({
  ids: Type.Array(Type.Object({ id: Type.Union([id, Type.Null()]) })),
  zone,
  bare: Type.String({ pattern: '^x$' }),
})

test('a pattern is said in the words of its description, wherever it stands; without one it stays', () => {
  const found = Compile(schema).Errors({ ids: [{ id: 'A' }], zone: 'x', bare: 'y' })
  const messages = new Map(explainPatterns(schema, found).map((error) => [error.schemaPath, error.message]))
  expect(messages).toEqual(
    new Map([
      ['#/properties/ids/items/properties/id/anyOf/0', 'must be lower-case text'],
      ['#/properties/ids/items/properties/id/anyOf/1', 'must be null'],
      ['#/properties/ids/items/properties/id', 'must match a schema in anyOf'],
      ['#/properties/zone', 'must be IANA name such as Europe/Berlin'],
      ['#/properties/bare', 'must match pattern "^x$"'],
    ]),
  )
})
