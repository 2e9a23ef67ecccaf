import { randomBytes } from 'node:crypto'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { deleteTopics, listTopics } from '@tidemark/infra/kafka/topics.ts'
import { removeDatabases } from '@tidemark/infra/migrations/remove.ts'
import { createPool, type Pool } from '@tidemark/infra/postgres/pool.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { kafkaSettings } from '@tidemark/infra/process/settings.ts'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { createApiKey } from '@tidemark/ingest/api-keys.ts'
import { createTenant } from '@tidemark/ingest/tenants.ts'
import { type Scope, scopes } from '@tidemark/schemas/api-key.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { Type } from 'typebox'
import { inject } from 'vitest'

export type TestTenant = { tenant: string; tenantNumber: number; key: string; keyId: string }

export type Installation = {
  prefix: string
  /** Name of both databases. */
  database: string
  /** The stack's addresses and this installation's prefix, as a service reads them. */
  env: Record<string, string>
  /** A tenant with an inbound topic and a key; all scopes unless fewer are named. */
  createTenant(name: string, keyScopes?: readonly Scope[]): Promise<TestTenant>
  /** PostgreSQL as the role of a service, `tidemark_ingest` for example; closed by `remove`. */
  openPool(role: string): Pool
  /** Drops databases and topics. Services must have stopped. */
  remove(): Promise<void>
}

/**
 * A fresh installation on the run's stack: databases migrated, topics made, schemas registered, under a prefix that no
 * other test has. `name` is what a person finds it by: a few characters of a-z and 0-9.
 */
export async function createInstallation(name: string): Promise<Installation> {
  return installOn(inject('stackEnvironment'), name)
}

/** As createInstallation, on a stack of the caller's own. */
export async function installOn(stack: StackEnvironment, name: string): Promise<Installation> {
  const prefix = `${name}-${randomBytes(3).toString('hex')}-`
  const database = databaseName(prefix)
  const env = { ...stack, POSTGRES_ROLE_PASSWORD: 'tidemark', TIDEMARK_PREFIX: prefix, LOG_LEVEL: 'info' }
  const log = createLog({ service: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false })
  await provisionInstallation({ env, log })
  const access = kafkaAccess(readConfig(Type.Object(kafkaSettings), stack))
  const kafka = createKafka({ ...access, clientId: `${prefix}test`, log })
  const pools: Pool[] = []
  const openPool = (role: string): Pool => {
    const server = { url: stack.POSTGRES_URL ?? '', database, user: role, password: 'tidemark' }
    const pool = createPool({ ...server, max: 3, applicationName: 'test' })
    pools.push(pool)
    return pool
  }
  const pool = openPool('tidemark_ingest')
  return {
    prefix,
    database,
    env,
    openPool,
    async createTenant(tenantName, keyScopes = scopes) {
      const tenant = await createTenant({ pool, kafka, prefix, replicationFactor: 1 }, tenantName, tenantName)
      const made = await createApiKey(pool, {
        tenant: tenant.id,
        name: 'test',
        scopes: keyScopes,
        mode: 'test',
      })
      return { tenant: tenant.id, tenantNumber: tenant.number, key: made.key, keyId: made.id }
    },
    async remove() {
      await Promise.all(pools.map((each) => each.end()))
      const own = (await listTopics(kafka)).filter((topic) => topic.startsWith(prefix))
      await deleteTopics(kafka, own)
      await kafka.disconnect()
      const clickHouse = {
        url: stack.CLICKHOUSE_URL ?? '',
        user: stack.CLICKHOUSE_USER ?? '',
        password: stack.CLICKHOUSE_PASSWORD ?? '',
      }
      await removeDatabases({ postgresUrl: stack.POSTGRES_URL ?? '', clickHouse, prefix })
    },
  }
}
