import { buildOpenApiDocument } from '@tidemark/infra/openapi/document.ts'
import { addReference } from '@tidemark/infra/openapi/reference.ts'
import Fastify from 'fastify'
import { afterAll, expect, test } from 'vitest'
import { information } from './information.ts'
import { operations } from './operations.ts'

const server = Fastify()
const document = await buildOpenApiDocument(information, operations)
addReference(server, information.title, document)
afterAll(() => server.close())

const get = (url: string) => server.inject({ method: 'GET', url })

test('the document is served', async () => {
  const answer = await get('/openapi.json')
  expect(answer.headers['content-type']).toContain('application/json')
  expect(answer.json()).toEqual(document)
})

test('the page to browse needs nothing from elsewhere', async () => {
  const page = await get('/docs/')
  expect(page.statusCode).toBe(200)
  expect(page.headers['content-security-policy']).toContain("default-src 'self'")
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
  expect(assets.length).toBeGreaterThan(3)
  for (const asset of assets) {
    expect(asset).not.toMatch(/^(?:https?:)?\/\//)
    expect((await get(new URL(asset, 'http://localhost/docs/').pathname)).statusCode, asset).toBe(200)
  }
  expect((await get('/docs')).statusCode).toBe(200)
  expect((await get('/docs/json')).json()).toEqual(document)
})
