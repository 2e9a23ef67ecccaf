import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { durableTopicConfig, provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createRedis } from '@tidemark/infra/redis/client.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import type { Variables } from './stack-processes.ts'

const topic = 'kept'
const log = createLog({ service: 'test', level: 'silent', pretty: false })
const reading = { type: 'record', name: 'Reading', fields: [{ name: 'id', type: 'string' }] }

/** Clients of one stack's servers, by the addresses that the stack gave out. */
export function openClients(variables: Variables) {
  const address = (name: string): string => variables[name] ?? ''
  const kafka = createKafka({ brokers: address('KAFKA_BROKERS').split(','), clientId: 'stack-test', log })
  const registry = createSchemaRegistry({ url: address('SCHEMA_REGISTRY_URL') })
  const clickhouse = createClickHouse({
    url: address('CLICKHOUSE_URL'),
    user: address('CLICKHOUSE_USER'),
    password: address('CLICKHOUSE_PASSWORD'),
    database: 'default',
  })
  const postgres = createPool({
    url: address('POSTGRES_URL'),
    ...{ database: 'postgres', user: 'postgres', password: 'postgres' },
    max: 1,
    applicationName: 'stack-test',
  })
  const redis = createRedis({ url: address('REDIS_URL'), prefix: '', applicationName: 'stack-test', log })
  const close = async (): Promise<void> => {
    redis.disconnect()
    await Promise.all([clickhouse.close(), postgres.end()])
  }
  return { kafka, registry, clickhouse, postgres, redis, close }
}

type Clients = ReturnType<typeof openClients>

/** Leaves one thing in every server; returns the id of the schema that the Kafka message names. */
export async function writeContents({
  kafka,
  registry,
  clickhouse,
  postgres,
  redis,
}: Clients): Promise<number> {
  const config = durableTopicConfig({ replicationFactor: 1, retentionMs: 86_400_000 })
  await provisionTopics(kafka, [{ name: topic, partitions: 1, replicationFactor: 1, config }])
  const schemaId = await registry.registerSchema(`${topic}-value`, reading)
  const producer = createProducer(kafka)
  await producer.connect()
  const value = frame(schemaId, parseAvroSchema(reading).toBuffer({ id: 'r1' }))
  await producer.send(topic, [{ partition: 0, key: 'k', value }])
  await producer.disconnect()
  await clickhouse.command('CREATE DATABASE kept')
  await clickhouse.command('CREATE TABLE kept.readings (id UInt64) ENGINE = MergeTree ORDER BY id')
  await clickhouse.command('INSERT INTO kept.readings SELECT number FROM numbers(1000)')
  await postgres.query('CREATE TABLE kept (id integer)')
  await postgres.query('INSERT INTO kept VALUES (42)')
  await redis.set('kept', 'yes')
  return schemaId
}

/** What writeContents left, as the servers have it now; the message is decoded by what the registry knows. */
export async function readContents({ kafka, registry, clickhouse, postgres, redis }: Clients) {
  const record = await readRecordAt(kafka, topic, 0, 0n)
  const decoder = createAvroDecoder({
    registry,
    readerSchema: parseAvroSchema(reading),
    parseSchema: parseAvroSchema,
  })
  return {
    message: await decoder.decode(record?.value ?? null),
    clickhouse: await clickhouse.query('SELECT toUInt32(count()) AS rows FROM kept.readings'),
    postgres: (await postgres.query('SELECT id FROM kept')).rows,
    redis: await redis.get('kept'),
  }
}

export const expectedContents = {
  message: { kind: 'ok', value: { id: 'r1' } },
  clickhouse: [{ rows: 1000 }],
  postgres: [{ id: 42 }],
  redis: 'yes',
}

export const laterReading = {
  ...reading,
  fields: [...reading.fields, { name: 'unit', type: 'string', default: '' }],
}
