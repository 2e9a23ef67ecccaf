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

test('docs/openapi/aggregator.json is what the operations say now', () => {
  const written: unknown = JSON.parse(readFileSync(join(root, 'docs', 'openapi', 'aggregator.json'), 'utf8'))
  const isUpToDate = isDeepStrictEqual(written, document)
  expect(isUpToDate, 'docs/openapi/aggregator.json is stale; run: node scripts/openapi.ts').toBe(true)
})

test('every route in the sources has its operation, and the reverse', () => {
  const registered = registeredRoutes(join(import.meta.dirname, '..', 'routes'))
  const documented = operations.map(({ method, url }) => `${method} ${url}`)
  expect(documented.toSorted(), 'list the operation of each route in openapi/operations.ts').toEqual(
    registered.toSorted(),
  )
})

test('it is OpenAPI 3.1 and all of its references lead somewhere', () => {
  expect(document.openapi).toBe('3.1.0')
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
  expect(references.length).toBeGreaterThan(0)
  for (const path of new Set(references)) {
    const found = path.split('/').reduce<unknown>((value, name) => Reflect.get(Object(value), name), document)
    expect(found, path).toBeTypeOf('object')
  }
  expect(text).not.toContain('Default Response')
})

test.each(operations.map(({ schema, ...route }) => [`${route.method} ${route.url}`, schema] as const))(
  '%s says what it does, who may do it and how it refuses',
  (_name, schema) => {
    expect(schema.summary.length).toBeGreaterThan(5)
    expect(schema.description.length).toBeGreaterThan(20)
    expect(Object.keys(schema.security?.[0] ?? {})).toEqual(['apiKey'])
    const statuses = Object.keys(Object(schema.response))
    expect(statuses).toEqual(expect.arrayContaining(['401', '403', '500', '503']))
  },
)

test('operations have names of their own', () => {
  const names = operations.map(({ schema }) => schema.operationId)
  expect(new Set(names).size).toBe(names.length)
})
