import { createMeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { addCatalogueRoutes } from '@tidemark/invoicer/routes/catalogue.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'

type CatalogueAnswer = { status: number; body: Record<string, unknown>; etag: string | undefined }
type Call = { method: 'GET' | 'POST' | 'PUT'; path: string; body?: unknown; ifMatch?: string }

/** The invoicer's catalogue alone, as HTTP clients meet it, on an installation of its own. */
export type CatalogueRoom = {
  readonly installation: Installation
  /** As the invoicer's own role. */
  readonly pool: Pool
  createMeters(tenant: string, meters: readonly Meter[]): Promise<void>
  call(tenant: TestTenant, call: Call): Promise<CatalogueAnswer>
  close(): Promise<void>
}

export async function openCatalogueRoom(name: string): Promise<CatalogueRoom> {
  const installation = await createInstallation(name)
  const pool = installation.openPool('tidemark_invoicer')
  const meterStore = createMeterStore(installation.openPool('tidemark_aggregator'))
  const server = createHttpServer({
    log: createLog({ service: 'invoicer', level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false }),
    metrics: createMetrics('invoicer'),
    health: createHealth({ checks: {} }),
    bodyLimitBytes: 1_048_576,
  })
  const principals = createPrincipals(createAuthenticator(pool, systemClock.now))
  addCatalogueRoutes(server, { pool, clock: systemClock, principals })

  return {
    installation,
    pool,
    async createMeters(tenant, meters) {
      for (const meter of meters) await meterStore.register(tenant, meter)
    },
    async call(tenant, { method, path, body, ifMatch }) {
      const answer = await server.inject({
        method,
        url: path,
        headers: {
          authorization: `Bearer ${tenant.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      })
      const { etag } = answer.headers
      return {
        status: answer.statusCode,
        body: Object(answer.json()),
        etag: typeof etag === 'string' ? etag : undefined,
      }
    },
    async close() {
      await server.close()
      await installation.remove()
    },
  }
}
