import type { Principals } from '@tidemark/infra/access/principals.ts'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { UsageLog } from '@tidemark/schemas/topics.ts'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { findEventFate } from '../reading/event-fate.ts'
import { listEvents } from '../reading/event-list.ts'
import { eventsQuery, readEventsQuery } from '../reading/events-query.ts'
import { fateQuery } from '../reading/fate-schema.ts'
import { findProcessedUntil } from '../reading/processed-until.ts'
import { createReadingGate } from '../reading/reading-gate.ts'

export type ReadingRoutesOptions = {
  principals: Principals
  clickHouse: ClickHouse
  usageLog: UsageLog
  clock: Clock
  /** How far ahead of the clock an event's time may lie: a list without an end goes that far. */
  futureMs: number
  onKeyUsed(keyId: string): void
}

/** `GET /v1/events` and `GET /v1/events/lookup`: only ever events of the tenant whose key asks. */
export function addReadingRoutes(server: FastifyInstance, options: ReadingRoutesOptions): void {
  const { principals, clickHouse, clock } = options
  const gate = createReadingGate()
  server.get<{ Querystring: Static<typeof eventsQuery> }>(
    '/v1/events',
    { onRequest: principals.require('read'), schema: { querystring: eventsQuery } },
    async (request) => {
      const untilMicros = clock.nowMicros() + options.futureMs * 1_000
      const question = readEventsQuery(request.query, untilMicros)
      const { tenant, keyId } = principals.of(request)
      options.onKeyUsed(keyId)
      return gate(tenant, () => listEvents(clickHouse, tenant, question))
    },
  )

  server.get<{ Querystring: Static<typeof fateQuery> }>(
    '/v1/events/lookup',
    { onRequest: principals.require('read'), schema: { querystring: fateQuery } },
    async (request) => {
      const { tenant, tenantNumber, keyId } = principals.of(request)
      options.onKeyUsed(keyId)
      const { source, id } = request.query
      return gate(tenant, async () => {
        const fate = await findEventFate(clickHouse, { tenant, tenantNumber, source, id })
        if (fate === undefined) throw await notFound(options, source, id)
        return fate
      })
    },
  )
}

async function notFound(
  { clickHouse, usageLog }: ReadingRoutesOptions,
  source: string,
  id: string,
): Promise<HttpProblem> {
  const processedUntil = await findProcessedUntil(clickHouse, usageLog)
  const begun =
    processedUntil === null
      ? 'the log has not been read yet'
      : `the log has been read up to ${processedUntil}`
  return new HttpProblem({
    status: 404,
    code: 'event_not_found',
    detail: `The ledger has no event of this tenant with source "${source}" and id "${id}": ${begun}. What was acknowledged after that may still appear; otherwise compare source and id byte by byte.`,
    extensions: { processedUntil },
  })
}
