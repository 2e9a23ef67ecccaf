import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { setMemorySwitch } from '@tidemark/ingest/memory/switches.ts'
import { installOn } from '../installation.ts'
import { type ServiceProcess, spawnService, waitUntilReady } from '../service-processes.ts'
import type { FaultContext } from './fault.ts'

export type IngestRoom = {
  url: string
  tenant: string
  key: string
  /** Of another tenant, whose acknowledged ids are remembered. */
  rememberedKey: string
  prefix: string
  env: Record<string, string>
  kafka: KafkaClient
  /** Starts the process, again on the same port. */
  spawn(): ServiceProcess
  untilReady(): Promise<void>
  kill(): Promise<void>
  /** @throws Error where the process has ended by itself */
  assertAlive(): void
  close(): Promise<void>
}

/** An installation with two tenants, and ingest as a process of its own that is not yet started. */
export async function openIngestRoom(
  name: string,
  { stack, directory }: FaultContext,
  settings: Record<string, string> = {},
): Promise<IngestRoom> {
  const installation = await installOn(stack, name)
  const { env, prefix } = installation
  const { key, tenant } = await installation.createTenant('acme')
  const remembered = await installation.createTenant('remembered')
  const pool = installation.openPool('tidemark_ingest')
  await setMemorySwitch(pool, { tenant: remembered.tenant, enabled: true })
  const log = createLog({ service: 'faults', level: 'silent', pretty: false })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'faults', log })
  const { redis: port } = await freePorts()
  let service: ServiceProcess | undefined

  return {
    url: `http://127.0.0.1:${port}`,
    tenant,
    key,
    rememberedKey: remembered.key,
    prefix,
    env,
    kafka,
    spawn() {
      service = spawnService({ name: 'ingest', port, env: { ...env, ...settings }, logDirectory: directory })
      return service
    },
    async untilReady() {
      if (service !== undefined) await waitUntilReady(service)
    },
    async kill() {
      await service?.stop('SIGKILL')
    },
    assertAlive() {
      const { exitCode, signalCode } = service?.process ?? {}
      if (exitCode !== null || signalCode !== null)
        throw new Error(`ingest ended by itself (${signalCode ?? exitCode}): see ${service?.logFile}`)
    },
    async close() {
      await service?.stop('SIGKILL')
      await kafka.disconnect()
      await installation.remove()
    },
  }
}
