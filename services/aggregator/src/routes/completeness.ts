import type { Principals } from '@tidemark/infra/access/principals.ts'
import { formatInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { invalidUsageRequest } from '../usage/usage-request.ts'
import type { UsageSources } from '../usage/usage-sources.ts'

export const completenessQuery = Type.Object(
  { until: Type.String({ description: 'RFC 3339 with a zone.' }) },
  { additionalProperties: false },
)

/** `GET /v1/completeness?until=`: whether every event acknowledged before an instant is in, or what is missing. */
export function addCompletenessRoutes(
  server: FastifyInstance,
  { readWatermarks, completeness }: UsageSources,
  principals: Principals,
): void {
  server.get<{ Querystring: Static<typeof completenessQuery> }>(
    '/v1/completeness',
    { onRequest: principals.require('read'), schema: { querystring: completenessQuery } },
    async (request) => {
      const { tenant } = principals.of(request)
      const until = parseInstant(request.query.until)
      if (until === undefined)
        throw invalidUsageRequest([
          {
            field: 'until',
            reason: 'must be an RFC 3339 date and time with zone such as 2026-12-01T00:00:00Z',
          },
        ])
      const watermarks = await readWatermarks()
      const missing = completeness.missing(watermarks, tenant, until)
      return {
        until: formatInstant(until),
        complete: missing.length === 0,
        completeUntil: formatInstant(completeness.completeUntil(watermarks, tenant)),
        missing: missing.map((entry) => ({ ...entry, completeUntil: formatInstant(entry.completeUntil) })),
      }
    },
  )
}
