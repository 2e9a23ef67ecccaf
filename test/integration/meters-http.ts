import { createMeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { addMeterRoutes } from '@tidemark/aggregator/routes/meters.ts'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { Installation } from '../installation.ts'

export type MetersHttp = ReturnType<typeof openMetersHttp>

/** The aggregator's API of meters and nothing else of it; it listens nowhere. */
export function openMetersHttp(installation: Installation) {
  const pool = installation.openPool('tidemark_aggregator')
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const health = createHealth({ checks: {} })
  const server = createHttpServer({ log, metrics: createMetrics('test'), health, bodyLimitBytes: 16_384 })
  const principals = createPrincipals(createAuthenticator(pool, Date.now))
  // Nothing seals here.
  const filling = { filledUntil: null, hoursLeft: null }
  addMeterRoutes(server, createMeterStore(pool), principals, async () => filling)
  return {
    async post(meter: object, key: string, query = '') {
      const headers = { authorization: `Bearer ${key}` }
      const url = `/v1/meters${query}`
      const answer = await server.inject({ method: 'POST', url, headers, payload: meter })
      return { status: answer.statusCode, body: answer.json() }
    },
    close: () => server.close(),
  }
}
