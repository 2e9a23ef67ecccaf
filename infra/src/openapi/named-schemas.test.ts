import { expect, test } from 'vitest'
import { nameSchemas } from './named-schemas.ts'

const currency = { title: 'Currency', enum: ['EUR', 'USD'] }

test('what has a title is told once, and referred to', () => {
  const price = { title: 'Price', properties: { currency: { ...currency, description: "The plan's" } } }
  const named = nameSchemas({ paths: { '/plans': { list: [price, price], one: currency } }, components: {} })
  expect(named.paths).toEqual({
    '/plans': {
      list: [{ $ref: '#/components/schemas/Price' }, { $ref: '#/components/schemas/Price' }],
      one: { $ref: '#/components/schemas/Currency' },
    },
  })
  expect(named.components).toEqual({
    schemas: {
      Currency: { enum: ['EUR', 'USD'] },
      Price: {
        properties: { currency: { $ref: '#/components/schemas/Currency', description: "The plan's" } },
      },
    },
  })
})

test('one title means one schema', () => {
  const paths = { '/a': currency, '/b': { ...currency, enum: ['EUR'] } }
  expect(() => nameSchemas({ paths })).toThrow('title "Currency" differ')
})

test('values are no schemas', () => {
  const paths = { '/a': { examples: { refused: { value: { title: 'Unauthorized', status: 401 } } } } }
  expect(nameSchemas({ paths }).paths).toEqual(paths)
})
