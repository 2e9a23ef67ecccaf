import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type ApplyResult, applyCatalogue, invalidCatalogue, type Named } from '../catalogue/apply.ts'
import { expectedRevision, tellRevision } from './revision.ts'

export type CatalogueDeps = { readonly pool: Pool; readonly clock: Clock; readonly principals: Principals }

export const applyQuery = Type.Object(
  { dryRun: Type.Boolean({ default: false, description: 'Checks all and says what would change.' }) },
  { additionalProperties: false },
)
export type ApplyQuery = Static<typeof applyQuery>

type ApplyingRequest = FastifyRequest<{ Querystring: ApplyQuery }>

/** Applies a whole catalogue, or the one thing that a route holds; the answer's etag is the revision after it. */
export async function apply(
  { pool, clock, principals }: CatalogueDeps,
  request: ApplyingRequest,
  reply: FastifyReply,
  body: unknown,
  named?: Named,
): Promise<ApplyResult> {
  const { tenant, keyId } = principals.of(request)
  const { result, revision } = await applyCatalogue(pool, clock, {
    tenant,
    actor: keyId,
    body,
    dryRun: request.query.dryRun,
    ...(named ? { named } : {}),
    expected: expectedRevision(request),
  })
  tellRevision(reply, revision)
  return result
}

/** Applies one item of a list; a PUT names it by its path, and its body may leave the name out. */
export function applyItem(
  deps: CatalogueDeps,
  request: ApplyingRequest,
  reply: FastifyReply,
  {
    kind,
    field,
    key,
  }: { kind: 'plans' | 'addOns' | 'coupons' | 'customers'; field: 'id' | 'key'; key?: string },
): Promise<ApplyResult> {
  const { body } = request
  if (!isRecord(body)) return apply(deps, request, reply, { [kind]: [body] })
  const own = body[field]
  if (key !== undefined && own !== undefined && own !== key)
    throw invalidCatalogue([
      { path: `${kind}[0].${field}`, reason: `must be "${key}", as in the address, or be left out` },
    ])
  const item = key === undefined ? body : { ...body, [field]: key }
  const name = item[field]
  return apply(
    deps,
    request,
    reply,
    { [kind]: [item] },
    typeof name === 'string' ? { kind, key: name } : undefined,
  )
}

/** What a list holds is named by its key. */
export const notFound = (code: string, what: string, key: string, list: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code,
    detail: `There is no ${what} "${key}"; GET ${list} lists those that exist.`,
  })
