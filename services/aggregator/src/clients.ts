import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { createPool, type Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createSchemaRegistry, type SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import type { AggregatorConfig } from './config.ts'

export type Clients = {
  readonly kafka: KafkaClient
  readonly registry: SchemaRegistry
  readonly clickHouse: ClickHouse
  readonly pool: Pool
  close(): Promise<void>
}

/** For a command; nothing connects before its first use. */
export function createClients(config: AggregatorConfig, log: Log): Clients {
  const database = databaseName(config.TIDEMARK_PREFIX)
  const kafka = createKafka({ ...kafkaAccess(config), clientId: 'ledger', log })
  const clickHouse = createClickHouse({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database,
    applicationName: 'tidemark-ledger',
  })
  const pool = createPool({
    url: config.POSTGRES_URL,
    database,
    user: 'tidemark_aggregator',
    password: config.POSTGRES_ROLE_PASSWORD,
    max: 3,
    applicationName: 'tidemark-ledger',
    log,
  })
  return {
    kafka,
    registry: createSchemaRegistry({ url: config.SCHEMA_REGISTRY_URL }),
    clickHouse,
    pool,
    async close() {
      await pool.end()
      await clickHouse.close()
      await kafka.disconnect()
    },
  }
}
