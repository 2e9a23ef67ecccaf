import type { Principals } from '@tidemark/infra/access/principals.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { eventSchemaLimits } from '@tidemark/schemas/event-schema/event-schema.ts'
import { keyPattern, keyText } from '@tidemark/schemas/identifiers.ts'
import { type Meter, type MeterVersion, meterFault, meterSchema } from '@tidemark/schemas/meter.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import type { MeterStore, Registration } from '../metering/meter-store.ts'
import type { Filling } from '../sealing/filling.ts'

/** A meter travels to ClickHouse in the address of each request that uses it, which has room for this and no more. */
const definitionBytes = 16_384
/** Its schema does not travel there; it is sent with blanks, perhaps. */
const bodyBytes = (definitionBytes + eventSchemaLimits.bytes) * 2

export const keyParams = Type.Object({ key: Type.String({ pattern: keyPattern, description: keyText }) })
export const postQuery = Type.Object(
  {
    dryRun: Type.Boolean({ default: false, description: 'Only says what would happen.' }),
  },
  { additionalProperties: false },
)
export const listQuery = Type.Object(
  {
    cursor: Type.String({ default: '', description: 'nextCursor of the page before.' }),
    limit: Type.Integer({ default: 100, minimum: 1, maximum: 1_000 }),
  },
  { additionalProperties: false },
)

/** Meters: `POST /v1/meters`, `GET /v1/meters`, `GET /v1/meters/{key}`. */
export function addMeterRoutes(
  server: FastifyInstance,
  meters: MeterStore,
  principals: Principals,
  fillingOf: (meter: MeterVersion) => Promise<Filling>,
): void {
  server.post<{ Body: Meter; Querystring: Static<typeof postQuery> }>(
    '/v1/meters',
    {
      onRequest: principals.require('admin'),
      schema: { body: meterSchema, querystring: postQuery },
      bodyLimit: bodyBytes,
    },
    async (request, reply) => {
      const { tenant } = principals.of(request)
      checkMeter(request.body)
      const { dryRun } = request.query
      const { meter, isNew } = await withinLimit(() =>
        dryRun ? meters.preview(tenant, request.body) : meters.register(tenant, request.body),
      )
      return reply.code(isNew && !dryRun ? 201 : 200).send(shown(meter))
    },
  )

  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/meters',
    { onRequest: principals.require('read'), schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit } = request.query
      const found = await meters.latest(principals.of(request).tenant, cursor, limit + 1)
      const items = found.slice(0, limit)
      return {
        items: items.map(shown),
        nextCursor: found.length > limit ? (items.at(-1)?.key ?? null) : null,
      }
    },
  )

  server.get<{ Params: Static<typeof keyParams> }>(
    '/v1/meters/:key',
    { onRequest: principals.require('read'), schema: { params: keyParams } },
    async (request) => {
      const [latest, ...earlier] = await meters.versions(principals.of(request).tenant, request.params.key)
      if (!latest) throw unknownMeter(request.params.key)
      return { ...shown(latest), ...(await fillingOf(latest)), earlierVersions: earlier.map(shown) }
    },
  )
}

export const unknownMeter = (key: string, version?: number): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'meter_unknown',
    detail: `There is no meter "${key}"${version === undefined ? '' : ` of version ${version}`}; GET /v1/meters lists those that exist.`,
  })

/** A meter belongs to the tenant of the key that asks, which therefore needs no mention. */
function shown({ tenant: _, ...meter }: MeterVersion): Meter & { version: number } {
  return meter
}

function checkMeter(meter: Meter): void {
  const fault = meterFault(meter) ?? reservedName(meter) ?? excess(meter)
  if (fault === undefined) return
  throw new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `The meter "${meter.key}" is not sound: ${fault.field}: ${fault.reason}.`,
    extensions: { errors: [fault] },
  })
}

const reservedName = ({ dimensions }: Meter) =>
  dimensions?.subject === undefined
    ? undefined
    : {
        field: 'dimensions.subject',
        reason: 'is what every query can group by anyway; give this dimension another name',
      }

const excess = ({ eventSchema: _, ...meter }: Meter) =>
  Buffer.byteLength(JSON.stringify(meter)) <= definitionBytes
    ? undefined
    : { field: 'body', reason: `is larger than ${definitionBytes} bytes; shorten the lists of its filters` }

const limitCodes = ['meter_limit_reached', 'schema_limit_reached']

async function withinLimit(run: () => Promise<Registration>): Promise<Registration> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Failure && limitCodes.includes(error.code))
      throw new HttpProblem({ status: 422, code: error.code, detail: `${error.message}.` })
    throw error
  }
}
