import type { Principals } from '@tidemark/infra/access/principals.ts'
import { keyPattern, keyText } from '@tidemark/schemas/identifiers.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import type { MeterStore } from '../metering/meter-store.ts'
import { answerUsage, type UsageSources } from '../usage/usage-answer.ts'
import { invalidUsageRequest, parseUsageRequest } from '../usage/usage-request.ts'
import { unknownMeter } from './meters.ts'

const keyParams = Type.Object({ key: Type.String({ pattern: keyPattern, description: keyText }) })

/** `GET /v1/meters/{key}/usage`; the parameters are read in usage/usage-request.ts, which knows the meter. */
export function addUsageRoutes(
  server: FastifyInstance,
  meters: MeterStore,
  sources: UsageSources,
  principals: Principals,
): void {
  server.get<{ Params: Static<typeof keyParams>; Querystring: Record<string, unknown> }>(
    '/v1/meters/:key/usage',
    { onRequest: principals.require('read'), schema: { params: keyParams } },
    async (request) => {
      const versions = await meters.versions(principals.of(request).tenant, request.params.key)
      const meter = chooseVersion(request.params.key, versions, request.query.version)
      return answerUsage(sources, meter, parseUsageRequest(request.query, meter))
    },
  )
}

/** The latest unless another one is asked for. */
function chooseVersion(key: string, versions: readonly MeterVersion[], asked: unknown): MeterVersion {
  const [latest] = versions
  if (!latest) throw unknownMeter(key)
  if (asked === undefined) return latest
  const version = typeof asked === 'string' && /^\d{1,9}$/.test(asked) ? Number(asked) : 0
  if (version < 1)
    throw invalidUsageRequest([
      { field: 'version', reason: `must be a version of the meter, from 1 to ${latest.version}` },
    ])
  const found = versions.find((meter) => meter.version === version)
  if (!found) throw unknownMeter(key, version)
  return found
}
