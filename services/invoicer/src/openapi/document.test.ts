import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { buildOpenApiDocument } from '@tidemark/infra/openapi/document.ts'
import { registeredRoutes } from '@tidemark/infra/openapi/registered-routes.ts'
import { expect, test } from 'vitest'
import { information } from './information.ts'
import { operations } from './operations.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const document = await buildOpenApiDocument(information, operations)
const text = JSON.stringify(document)

test('docs/openapi/invoicer.json is what the operations say now', () => {
  const written: unknown = JSON.parse(readFileSync(join(root, 'docs', 'openapi', 'invoicer.json'), 'utf8'))
  const isUpToDate = isDeepStrictEqual(written, document)
  expect(isUpToDate, 'docs/openapi/invoicer.json is stale; run: node scripts/openapi.ts').toBe(true)
})

test('every route in the sources has its operation, and the reverse', () => {
  const rooms = ['routes', 'payments', 'webhooks'].map((room) => join(import.meta.dirname, '..', room))
  const documented = operations.map(({ method, url }) => `${method} ${url}`)
  expect(documented.toSorted(), 'list the operation of each route in openapi/operations.ts').toEqual(
    registeredRoutes(...rooms).toSorted(),
  )
})

test('it is OpenAPI 3.1, its references lead somewhere, and its tags are told', () => {
  expect(document.openapi).toBe('3.1.0')
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
  expect(references.length).toBeGreaterThan(0)
  for (const path of new Set(references)) {
    const found = path.split('/').reduce<unknown>((value, name) => Reflect.get(Object(value), name), document)
    expect(found, path).toBeTypeOf('object')
  }
  expect(text).not.toContain('Default Response')
  const told = information.tags.map(({ name }) => name)
  expect(new Set(operations.flatMap(({ schema }) => schema.tags))).toEqual(new Set(told))
})

test.each(operations.map(({ schema, ...route }) => [`${route.method} ${route.url}`, schema] as const))(
  '%s says what it does, who may do it and how it refuses',
  (name, schema) => {
    expect(schema.summary.length).toBeGreaterThan(5)
    expect(schema.description.length).toBeGreaterThan(10)
    const statuses = Object.keys(Object(schema.response))
    if (name.endsWith('/webhooks/stripe')) return
    expect(Object.keys(schema.security?.[0] ?? {})).toEqual(['apiKey'])
    expect(statuses).toEqual(expect.arrayContaining(['401', '403', '500', '503']))
  },
)

test('operations have names of their own', () => {
  const names = operations.map(({ schema }) => schema.operationId)
  expect(new Set(names).size).toBe(names.length)
})
