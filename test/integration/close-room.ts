import { createServer } from 'node:net'
import { createMeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { type Clock, systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { startComponents } from '@tidemark/infra/process/lifecycle.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { configSchema } from '@tidemark/invoicer/config.ts'
import { buildInvoicer } from '@tidemark/invoicer/service.ts'
import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { currentLog, inboundTopic, inboundTopicSpec } from '@tidemark/schemas/topics.ts'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { createUsageLog, type UsageLog } from './usage-log.ts'

type Answer = { status: number; body: Record<string, unknown> }

/** An invoicer on an installation of its own, where the test writes the log that it bills from. */
export type CloseRoom = {
  readonly installation: Installation
  readonly clickHouse: ClickHouse
  /** As the invoicer's own role. */
  readonly pool: Pool
  readonly url: string
  readonly log: UsageLog
  createMeters(tenant: string, meters: readonly Meter[]): Promise<void>
  call(tenant: TestTenant, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Answer>
  /** @throws Error when the catalogue is refused */
  apply(tenant: TestTenant, catalogue: Catalogue): Promise<Answer>
  /** Writes what was appended, and says that everything until then is in, the tenants' relays too. */
  completeUsage(until: Micros1970, tenants: readonly TestTenant[]): Promise<void>
  close(): Promise<void>
}

/** @param clock the invoicer's; by default the machine's */
export async function openCloseRoom(name: string, clock: Clock = systemClock): Promise<CloseRoom> {
  const installation = await createInstallation(name)
  const { env, database } = installation
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
  })
  const meterStore = createMeterStore(installation.openPool('tidemark_aggregator'))
  const port = await freePort()
  const config = readConfig(configSchema, {
    ...env,
    INVOICER_PORT: String(port),
    INVOICER_GATE_WAIT_MS: '0',
    INVOICER_GRACE_SECONDS: '0',
    // Invoices stay as they were opened while the test looks at them.
    INVOICER_COLLECTION_ENABLED: 'false',
  })
  const logger = createLog({
    service: 'invoicer',
    level: process.env.TEST_LOG_LEVEL ?? 'silent',
    pretty: false,
  })
  const invoicer = await startComponents(
    await buildInvoicer(config, { log: logger, clock, fatal: (error) => console.error(error) }),
  )
  const url = `http://127.0.0.1:${port}`
  const log = createUsageLog(clickHouse)

  const call: CloseRoom['call'] = async (tenant, method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tenant.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: Record<string, unknown> = Object(await response.json())
    return { status: response.status, body: answer }
  }

  return {
    installation,
    clickHouse,
    pool: installation.openPool('tidemark_invoicer'),
    url,
    log,
    call,
    async createMeters(tenant, meters) {
      for (const meter of meters) await meterStore.register(tenant, meter)
    },
    async apply(tenant, catalogue) {
      const answer = await call(tenant, 'POST', '/v1/catalogue', catalogue)
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
      return answer
    },
    async completeUsage(until, tenants) {
      await log.write(until)
      const rows = tenants.flatMap(({ tenant }) =>
        Array.from({ length: inboundTopicSpec(tenant).partitions }, (_, partition) => ({
          topic: inboundTopic(tenant),
          log: currentLog,
          partition,
          next_offset: 0,
          complete_until: formatInstant(until),
          relayed_before: formatInstant(until),
        })),
      )
      await clickHouse.insert('usage_watermarks', rows)
    },
    async close() {
      await invoicer.stop()
      await clickHouse.close()
      await installation.remove()
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
