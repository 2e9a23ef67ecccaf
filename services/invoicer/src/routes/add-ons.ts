import type { FastifyInstance } from 'fastify'
import { type ApplyQuery, applyItem, applyQuery, type CatalogueDeps } from './catalogue-writing.ts'
import {
  createVersionHandlers,
  itemParams,
  type List,
  listQuery,
  type One,
  type Version,
  type Versions,
  versionParams,
  versionsQuery,
} from './versions.ts'

/** Add-ons and their versions, alike those of plans. */
export function addAddOnRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const reading = deps.principals.require('read')
  const writing = deps.principals.require('admin')
  const handlers = createVersionHandlers(deps, 'addOns')
  const noun = { kind: 'addOns', field: 'id' } as const
  const oneVersion = { params: versionParams }

  server.get<List>('/v1/add-ons', { onRequest: reading, schema: { querystring: listQuery } }, handlers.list)
  server.post<{ Querystring: ApplyQuery }>(
    '/v1/add-ons',
    { onRequest: writing, schema: { querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, noun),
  )
  server.get<One>('/v1/add-ons/:id', { onRequest: reading, schema: { params: itemParams } }, handlers.one)
  server.put<One & { Querystring: ApplyQuery }>(
    '/v1/add-ons/:id',
    { onRequest: writing, schema: { params: itemParams, querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, { ...noun, key: request.params.id }),
  )
  server.get<Versions>(
    '/v1/add-ons/:id/versions',
    { onRequest: reading, schema: { params: itemParams, querystring: versionsQuery } },
    handlers.versions,
  )
  server.get<Version>(
    '/v1/add-ons/:id/versions/:version',
    { onRequest: reading, schema: oneVersion },
    handlers.version,
  )
  server.post<Version>(
    '/v1/add-ons/:id/versions/:version/publish',
    { onRequest: writing, schema: oneVersion },
    handlers.setState('published'),
  )
  server.post<Version>(
    '/v1/add-ons/:id/versions/:version/deprecate',
    { onRequest: writing, schema: oneVersion },
    handlers.setState('deprecated'),
  )
}
