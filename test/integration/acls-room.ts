import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { roles } from '@tidemark/infra/installation/kafka-acls.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { type Installation, installOn } from '../installation.ts'
import { type KafkaVariables, openKafkaAs, type SecureBroker, startSecureBroker } from '../secure-broker.ts'
import { type ServiceName, type ServiceProcess, startService } from '../service-processes.ts'

const run = promisify(execFile)

/** Who a tenant's products are to Kafka: a role of this test beside those of the list. */
export const products = 'acme-products'

export type Ran = { code: number; out: string; err: string }

export type AclsRoom = {
  folder: string
  installation: Installation
  /** May do everything. */
  admin: KafkaClient
  /** As a program of the role connects; `admin` too. */
  variablesOf(role: string): KafkaVariables
  /** The installation's variables for a program of the role. */
  envOf(role: string): Record<string, string>
  /** Runs a command of a package to its end, as the role. */
  command(path: string, args: string[], role: string): Promise<Ran>
  /** Sends to a topic of the installation, as the role. */
  send(role: string, topic: string, values: readonly unknown[]): Promise<void>
  start(name: ServiceName, port: number, settings?: Record<string, string>): Promise<ServiceProcess>
  close(): Promise<void>
}

/** An installation on a broker that refuses what no ACL allows; none is granted yet. */
export async function openAclsRoom(stack: StackEnvironment): Promise<AclsRoom> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-acls-'))
  const users = [...roles.map(({ name }) => userOf(name)), products]
  const broker: SecureBroker = await startSecureBroker(join(folder, 'broker'), users)
  const installation = await installOn({ ...stack, ...broker.scram('admin') }, 'acls')
  const admin = openKafkaAs(broker.scram('admin'))
  const services: ServiceProcess[] = []

  // One of them comes with a certificate instead of a password; to the authorizer that is the same.
  const variablesOf = (role: string): KafkaVariables =>
    role === 'aggregator' ? broker.mutualTls(userOf(role)) : broker.scram(userOf(role))

  const envOf = (role: string): Record<string, string> => {
    const rest = Object.entries(installation.env).filter(([name]) => !name.startsWith('KAFKA_'))
    const principals = { TIDEMARK_KAFKA_PRINCIPALS: 'User:tidemark-{role}' }
    return { ...Object.fromEntries(rest), ...principals, ...variablesOf(role) }
  }

  return {
    folder,
    installation,
    admin,
    variablesOf,
    envOf,
    async command(path, args, role) {
      const program = new URL(import.meta.resolve(path)).pathname
      try {
        const env = { ...process.env, ...envOf(role) }
        const { stdout, stderr } = await run(process.execPath, [program, ...args], { env })
        return { code: 0, out: stdout, err: stderr }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error))
          throw error
        return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) }
      }
    },
    async send(role, topic, values) {
      const kafka = openKafkaAs(variablesOf(role))
      const producer = createProducer(kafka)
      const messages = values.map((value) => ({
        key: null,
        partition: 0,
        value: Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
      }))
      await producer.send(installation.prefix + topic, messages).finally(async () => {
        await producer.disconnect()
        await kafka.disconnect()
      })
    },
    async start(name, port, settings = {}) {
      const env = { ...envOf(name), ...settings }
      const service = await startService({ name, port, env, logDirectory: join(folder, name) })
      services.push(service)
      return service
    },
    async close() {
      await Promise.all(services.map((service) => service.stop('SIGKILL')))
      await admin.disconnect()
      await installation.remove()
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const userOf = (role: string): string => (role === 'admin' || role === products ? role : `tidemark-${role}`)
