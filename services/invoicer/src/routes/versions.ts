import type { Principals } from '@tidemark/infra/access/principals.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import { keyField } from '@tidemark/schemas/catalogue-fields.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import {
  afterAllVersions,
  type ListedVersion,
  listNewestVersions,
  listVersionsOf,
  readNewestVersion,
  readVersion,
  type VersionedKind,
} from '../catalogue/version-list.ts'
import { setVersionState } from '../catalogue/version-state.ts'
import { type CatalogueDeps, notFound } from './catalogue-writing.ts'
import { pageOf, pageParameters } from './pages.ts'
import { expectedRevision, tellRevision } from './revision.ts'

const closed = { additionalProperties: false }
export const itemParams = Type.Object({ id: keyField })
export const versionParams = Type.Object({
  id: keyField,
  version: Type.Integer({ minimum: 1, maximum: afterAllVersions - 1 }),
})
export const listQuery = Type.Object(pageParameters, closed)
export const versionsQuery = Type.Object(
  {
    ...pageParameters,
    cursor: Type.Integer({
      default: afterAllVersions,
      minimum: 1,
      maximum: afterAllVersions,
      description: 'The nextCursor of the page before',
    }),
  },
  closed,
)

export type List = { Querystring: Static<typeof listQuery> }
export type One = { Params: Static<typeof itemParams> }
export type Versions = One & { Querystring: Static<typeof versionsQuery> }
export type Version = { Params: Static<typeof versionParams> }

type Item = Plan | AddOn

const shown = ({ definition, revision: _, ...version }: ListedVersion<Item>) => ({
  ...definition,
  ...version,
})

const nouns = {
  plans: { code: 'plan_unknown', noun: 'plan', list: '/v1/plans' },
  addOns: { code: 'add_on_unknown', noun: 'add-on', list: '/v1/add-ons' },
}

const unknownItem = (kind: VersionedKind, id: string): HttpProblem =>
  notFound(nouns[kind].code, nouns[kind].noun, id, nouns[kind].list)

const unknownVersion = (kind: VersionedKind, id: string, version: number): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'version_unknown',
    detail: `There is no version ${version} of ${nouns[kind].noun} "${id}"; GET ${nouns[kind].list}/${id}/versions lists those that exist.`,
  })

/** What the routes of plans and those of add-ons do, which are alike. */
export function createVersionHandlers({ pool, clock, principals }: CatalogueDeps, kind: VersionedKind) {
  const tenantOf = (request: Parameters<Principals['of']>[0]) => principals.of(request).tenant
  return {
    async list(request: FastifyRequest<List>) {
      const { cursor, limit } = request.query
      const found = await listNewestVersions<Item>(pool, kind, tenantOf(request), cursor, limit + 1)
      return pageOf(found, limit, ({ definition }) => definition.id, shown)
    },
    async one(request: FastifyRequest<One>, reply: FastifyReply) {
      const { id } = request.params
      const found = await readNewestVersion<Item>(pool, kind, tenantOf(request), id)
      if (!found) throw unknownItem(kind, id)
      tellRevision(reply, found.revision)
      return shown(found)
    },
    async versions(request: FastifyRequest<Versions>) {
      const { cursor, limit } = request.query
      const { id } = request.params
      const page = { before: cursor, limit: limit + 1 }
      const found = await listVersionsOf<Item>(pool, kind, tenantOf(request), id, page)
      if (found.length === 0 && cursor === afterAllVersions) throw unknownItem(kind, id)
      return pageOf(found, limit, ({ version }) => String(version), shown)
    },
    async version(request: FastifyRequest<Version>, reply: FastifyReply) {
      const { id, version } = request.params
      const found = await readVersion<Item>(pool, kind, tenantOf(request), id, version)
      if (!found) throw unknownVersion(kind, id, version)
      tellRevision(reply, found.revision)
      return shown(found)
    },
    setState:
      (state: 'published' | 'deprecated') =>
      async (request: FastifyRequest<Version>, reply: FastifyReply) => {
        const { id, version } = request.params
        const { tenant, keyId } = principals.of(request)
        const revision = await setVersionState(pool, clock, {
          tenant,
          actor: keyId,
          kind,
          id,
          version,
          state,
          expected: expectedRevision(request),
        })
        if (revision === undefined) throw unknownVersion(kind, id, version)
        tellRevision(reply, revision)
        const found = await readVersion<Item>(pool, kind, tenant, id, version)
        return found && shown(found)
      },
  }
}
