import type { Principals } from '@tidemark/infra/access/principals.ts'
import { dimensionNames } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { MeterStore } from '../metering/meter-store.ts'
import { answerUnreadable } from '../usage/unreadable-events.ts'
import { answerUsage, type UsageAnswer } from '../usage/usage-answer.ts'
import { usageCsv } from '../usage/usage-csv.ts'
import { invalidUsageRequest, parseUsageRequest, type UsageRequest } from '../usage/usage-request.ts'
import type { UsageSources } from '../usage/usage-sources.ts'
import { keyParams, unknownMeter } from './meters.ts'

export const dimensionParams = Type.Object({
  ...keyParams.properties,
  dimension: Type.String({ maxLength: 256 }),
})

type Query = Record<string, unknown>
type Asked = { Params: Static<typeof keyParams>; Querystring: Query }
type AskedDimension = { Params: Static<typeof dimensionParams>; Querystring: Query }

/** What a list of subjects or of a dimension's values decides by itself. */
const ofLists = ['groupBy', 'window', 'timeZone']

/**
 * Usage of a meter, its subjects, the values of its dimensions and what it cannot read; the parameters are read in
 * usage/usage-request.ts, which knows the meter.
 */
export function addUsageRoutes(
  server: FastifyInstance,
  meters: MeterStore,
  sources: UsageSources,
  principals: Principals,
): void {
  const onRequest = principals.require('read')
  const meterOf = async (request: FastifyRequest<Asked>): Promise<MeterVersion> => {
    const versions = await meters.versions(principals.of(request).tenant, request.params.key)
    return chooseVersion(request.params.key, versions, request.query.version)
  }
  const list = async (
    request: FastifyRequest<Asked>,
    reply: FastifyReply,
    meter: MeterVersion,
    groupBy: string,
  ) => {
    const given = ofLists.filter((field) => field in request.query)
    if (given.length > 0)
      throw invalidUsageRequest(
        given.map((field) => ({ field, reason: 'is no parameter of a list; ask for usage to divide it' })),
      )
    const asked = parseUsageRequest({ ...request.query, groupBy }, meter)
    return send(request, reply, asked, await answerUsage(sources, meter, asked))
  }

  server.get<Asked>(
    '/v1/meters/:key/usage',
    { onRequest, schema: { params: keyParams } },
    async (request, reply) => {
      const meter = await meterOf(request)
      const asked = parseUsageRequest(request.query, meter)
      return send(request, reply, asked, await answerUsage(sources, meter, asked))
    },
  )

  server.get<Asked>(
    '/v1/meters/:key/subjects',
    { onRequest, schema: { params: keyParams } },
    async (request, reply) => list(request, reply, await meterOf(request), 'subject'),
  )

  server.get<AskedDimension>(
    '/v1/meters/:key/dimensions/:dimension',
    { onRequest, schema: { params: dimensionParams } },
    async (request, reply) => {
      const meter = await meterOf(request)
      const { dimension } = request.params
      if (!dimensionNames(meter).includes(dimension)) throw unknownDimension(meter, dimension)
      return list(request, reply, meter, dimension)
    },
  )

  server.get<Asked>(
    '/v1/meters/:key/unreadable',
    { onRequest, schema: { params: keyParams } },
    async (request) => {
      const meter = await meterOf(request)
      return answerUnreadable(sources, meter, parseUsageRequest(request.query, meter))
    },
  )
}

/** JSON, or CSV when it is asked for: then what is no line of a table is told in headers. */
function send(request: FastifyRequest, reply: FastifyReply, asked: UsageRequest, answer: UsageAnswer) {
  const accepted = request.headers.accept ?? ''
  if (asked.format === 'json' || (asked.format === undefined && !accepted.includes('text/csv'))) return answer
  if (answer.nextCursor !== null) reply.header('tidemark-next-cursor', answer.nextCursor)
  return reply
    .header('tidemark-complete-until', answer.completeUntil)
    .type('text/csv; charset=utf-8')
    .send(usageCsv(answer, asked))
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

const unknownDimension = (meter: MeterVersion, name: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'dimension_unknown',
    detail: `The meter "${meter.key}" has no dimension "${name}"; it has ${dimensionNames(meter).join(', ') || 'none'}.`,
  })
