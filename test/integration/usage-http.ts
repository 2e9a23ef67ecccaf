import { buildMetering } from '@tidemark/aggregator/metering/component.ts'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { UsageRoom } from './usage-room.ts'

type Answer = Awaited<ReturnType<UsageHttp['get']>>

/** The aggregator's routes alone: nothing listens, and the sealer is not started. */
export type UsageHttp = ReturnType<typeof openUsageHttp>

export function openUsageHttp({ pool, clickHouse, logger }: UsageRoom) {
  const metrics = createMetrics('test')
  const health = createHealth({ checks: {} })
  const server = createHttpServer({ log: logger, metrics, health, bodyLimitBytes: 1_000_000 })
  const config = {
    AGGREGATOR_SEALING_INTERVAL_MS: 1_000,
    AGGREGATOR_SEALING_QUIET_MS: 0,
    AGGREGATOR_CHECK_ENABLED: false,
    AGGREGATOR_CHECK_PAUSE_MS: 0,
    AGGREGATOR_CHECK_ROUND_MS: 0,
    AGGREGATOR_SEAL_PASSES_KEPT: 10_000,
  }
  buildMetering(config, {
    server,
    clickHouse,
    pool,
    authenticator: createAuthenticator(pool, Date.now),
    log: logger,
    clock: systemClock,
    metrics,
    // What a test has just written is in the next answer.
    sharing: { watermarksMs: 0, hoursMs: 0 },
  })
  const headersOf = (key: string | undefined) => (key === undefined ? {} : { authorization: `Bearer ${key}` })
  return {
    async post(url: string, body: object, key?: string) {
      const answer = await server.inject({ method: 'POST', url, headers: headersOf(key), payload: body })
      return { status: answer.statusCode, body: answer.json() }
    },
    async get(path: string, key?: string, query: Record<string, string> = {}) {
      const search = new URLSearchParams(query).toString()
      const url = search === '' ? path : `${path}?${search}`
      const answer = await server.inject({ method: 'GET', url, headers: headersOf(key) })
      return { status: answer.statusCode, body: answer.json() }
    },
    async getText(url: string, key: string, accept?: string) {
      const headers = { ...headersOf(key), ...(accept === undefined ? {} : { accept }) }
      const answer = await server.inject({ method: 'GET', url, headers })
      return { status: answer.statusCode, text: answer.body, headers: answer.headers }
    },
    close: () => server.close(),
  }
}

/** The fields that a refusal names. */
export const fieldsOf = ({ body }: Answer): string[] =>
  body.errors.map((error: { field: string }) => error.field)
