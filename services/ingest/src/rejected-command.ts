import { hostname, userInfo } from 'node:os'
import { usageEventRecordOf } from '@tidemark/infra/installation/record-schemas.ts'
import { openUsageLog } from '@tidemark/infra/installation/usage-log.ts'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { usageEventsTopicOf } from '@tidemark/schemas/topics.ts'
import { rejectedEventType, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { createClients, createPublisherTo } from './clients.ts'
import { configSchema, rulesOf } from './config.ts'
import { createEventSchemasComponent } from './event-schemas/component.ts'
import { createEventEncoder } from './events/usage-record.ts'
import { checkUsageTopic, fetchSchemaId } from './log-check.ts'
import { carryOut } from './rejected/carry-out.ts'
import { createMarks } from './rejected/marks.ts'
import { readRejectedOrder, rejectedUsage } from './rejected/rejected-order.ts'
import { listTenants } from './tenants.ts'

const config = readConfigOrExit(configSchema, process.env)
const prefix = config.TIDEMARK_PREFIX
const log = createLog({ service: 'rejected', level: 'warn', pretty: true })
const { kafka, pool, clickHouse } = createClients(config, log)
const publisher = createPublisherTo(usageEventsTopicOf(config.USAGE_LOG), config, kafka)
const registry = createSchemaRegistry({ url: config.SCHEMA_REGISTRY_URL })
const decoderOf = { registry, parseSchema: parseAvroSchema }

async function openReplay() {
  const usageLog = await openUsageLog(pool, config.USAGE_LOG, 'write')
  await checkUsageTopic(kafka, prefix, usageLog)
  const tenants = await listTenants(pool)
  const { checks } = createEventSchemasComponent({ pool, log, pollMs: config.INGEST_SCHEMAS_POLL_MS })
  await checks.unread()
  return {
    tenants: new Map(tenants.map((tenant) => [tenant.id, tenant])),
    rules: rulesOf(config),
    dataChecks: checks,
    encode: createEventEncoder(
      await fetchSchemaId(config.SCHEMA_REGISTRY_URL, prefix, usageEventRecordOf(usageLog.log)),
      usageLog.partitions,
    ),
    decodeUsage: createAvroDecoder({ ...decoderOf, readerSchema: usageEventType }).decode,
    publish: publisher.publish,
  }
}

try {
  const order = readRejectedOrder(process.argv.slice(2))
  process.exitCode = await carryOut(order, {
    kafka,
    prefix,
    decoder: createAvroDecoder({ ...decoderOf, readerSchema: rejectedEventType }),
    marks: createMarks(pool, order.by ?? `${userInfo().username}@${hostname()}`),
    openReplay,
    print: (line) => console.log(line),
    tell: (line) => console.error(line),
  })
} catch (error) {
  const { code, message } = asFailure(error)
  console.error(code === 'usage' ? `${message}\n\n${rejectedUsage}` : message)
  process.exitCode = 1
} finally {
  await publisher.close()
  await pool.end()
  await clickHouse.close()
  await kafka.disconnect()
}
