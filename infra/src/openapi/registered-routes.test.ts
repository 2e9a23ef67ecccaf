import { expect, test } from 'vitest'
import { routesIn } from './registered-routes.ts'

test('finds routes by their text, a constant, a template and a loop', () => {
  const source = `
    const address = '/v1/things/:id'
    server.get<{ Params: Id }>('/v1/things', list)
    server.put(address, set)
    for (const action of ['open', 'close'] as const)
      server.post<Body<Id>>(
        \`\${address}/\${action}\`,
        act,
      )
    map.get(key, 1)
  `
  expect(routesIn(source)).toEqual([
    'GET /v1/things',
    'PUT /v1/things/:id',
    'POST /v1/things/:id/open',
    'POST /v1/things/:id/close',
  ])
})
