import { topics } from '@tidemark/schemas/topics.ts'
import { Type } from 'typebox'
import { createKafka } from '../kafka/client.ts'
import { kafkaAccess } from '../kafka/security.ts'
import { provisionTopics } from '../kafka/topics.ts'
import { migrate } from '../migrations/migrate.ts'
import { type Environment, readConfig } from '../process/config.ts'
import type { Log } from '../process/log.ts'
import { retry } from '../process/retry.ts'
import {
  clickHouseSettings,
  kafkaSettings,
  logSettings,
  postgresSettings,
  prefixSettings,
  registrySettings,
} from '../process/settings.ts'
import { createSchemaRegistry } from '../schema-registry/client.ts'
import { recordSchemas, registerRecordSchema } from './record-schemas.ts'
import { topicProvision, topicSettings } from './topic-provision.ts'

export const installationSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...kafkaSettings,
  ...topicSettings,
  ...registrySettings,
  ...clickHouseSettings,
  ...postgresSettings,
})

/** A server that has just come up refuses for a moment. */
const patience = { attempts: 5, minDelayMs: 200, maxDelayMs: 2_000 }

/**
 * Everything that an installation needs before its services start: both databases migrated, the topics of the table
 * made, the schemas of their records registered. Idempotent, and safe to run by two processes at once.
 */
export async function provisionInstallation({ env, log }: { env: Environment; log: Log }): Promise<void> {
  const config = readConfig(installationSchema, env)
  const prefix = config.TIDEMARK_PREFIX
  await migrate({
    postgresUrl: config.POSTGRES_URL,
    rolePassword: config.POSTGRES_ROLE_PASSWORD,
    clickHouse: {
      url: config.CLICKHOUSE_URL,
      user: config.CLICKHOUSE_USER,
      password: config.CLICKHOUSE_PASSWORD,
    },
    prefix,
    log,
  })
  const kafka = createKafka({ ...kafkaAccess(config), clientId: 'tidemark-provision', log })
  try {
    const installation = { prefix, replicationFactor: config.KAFKA_REPLICATION_FACTOR }
    const specs = topics.map((spec) => topicProvision(spec, installation))
    await retry(() => provisionTopics(kafka, specs), patience)
  } finally {
    await kafka.disconnect()
  }
  const registry = createSchemaRegistry({ url: config.SCHEMA_REGISTRY_URL })
  for (const record of recordSchemas) {
    await retry(() => registerRecordSchema(registry, prefix, record), patience)
  }
}
