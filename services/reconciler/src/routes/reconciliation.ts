import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { type Cause, causes } from '@tidemark/schemas/reconciliation.ts'
import type { FastifyInstance } from 'fastify'
import { listFindings, summarise } from '../summary.ts'

export type RouteDeps = { pool: Pool; principals: Principals }

const mostFindings = 1000

/** `GET /v1/reconciliation/summary` and `GET /v1/reconciliation/findings`: the tenant of the API key, nobody else's. */
export function addReconciliationRoutes(server: FastifyInstance, { pool, principals }: RouteDeps): void {
  const readers = { onRequest: principals.require('read') }
  server.get('/v1/reconciliation/summary', readers, async (request) =>
    summarise(pool, principals.of(request).tenant),
  )

  server.get<{ Querystring: { cause?: string; cursor?: string; limit?: string } }>(
    '/v1/reconciliation/findings',
    readers,
    async (request) => {
      const { tenant } = principals.of(request)
      const { cause, cursor, limit } = request.query
      return listFindings(pool, tenant, {
        cause: causeOf(cause),
        after: cursorOf(cursor),
        limit: limitOf(limit),
      })
    },
  )
}

const invalid = (field: string, reason: string): HttpProblem =>
  new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `${field} ${reason}.`,
    extensions: { errors: [{ field, reason }] },
  })

function causeOf(text: string | undefined): Cause | undefined {
  if (text === undefined) return undefined
  const cause = causes.find((each) => each === text)
  if (!cause) throw invalid('cause', `must be one of ${causes.join(', ')}`)
  return cause
}

function cursorOf(text: string | undefined): bigint {
  if (text === undefined) return 0n
  if (!/^\d{1,18}$/.test(text)) throw invalid('cursor', 'must be the nextCursor of an earlier answer')
  return BigInt(text)
}

function limitOf(text: string | undefined): number {
  const limit = Number(text ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > mostFindings)
    throw invalid('limit', `must be a whole number from 1 to ${mostFindings}`)
  return limit
}
