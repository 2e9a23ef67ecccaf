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

/** Plans and their versions: draft, published, deprecated. */
export function addPlanRoutes(server: FastifyInstance, deps: CatalogueDeps): void {
  const reading = deps.principals.require('read')
  const writing = deps.principals.require('admin')
  const handlers = createVersionHandlers(deps, 'plans')
  const noun = { kind: 'plans', field: 'id' } as const
  const oneVersion = { params: versionParams }

  server.get<List>('/v1/plans', { onRequest: reading, schema: { querystring: listQuery } }, handlers.list)
  server.post<{ Querystring: ApplyQuery }>(
    '/v1/plans',
    { onRequest: writing, schema: { querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, noun),
  )
  server.get<One>('/v1/plans/:id', { onRequest: reading, schema: { params: itemParams } }, handlers.one)
  server.put<One & { Querystring: ApplyQuery }>(
    '/v1/plans/:id',
    { onRequest: writing, schema: { params: itemParams, querystring: applyQuery } },
    (request, reply) => applyItem(deps, request, reply, { ...noun, key: request.params.id }),
  )
  server.get<Versions>(
    '/v1/plans/:id/versions',
    { onRequest: reading, schema: { params: itemParams, querystring: versionsQuery } },
    handlers.versions,
  )
  server.get<Version>(
    '/v1/plans/:id/versions/:version',
    { onRequest: reading, schema: oneVersion },
    handlers.version,
  )
  server.post<Version>(
    '/v1/plans/:id/versions/:version/publish',
    { onRequest: writing, schema: oneVersion },
    handlers.setState('published'),
  )
  server.post<Version>(
    '/v1/plans/:id/versions/:version/deprecate',
    { onRequest: writing, schema: oneVersion },
    handlers.setState('deprecated'),
  )
}
