import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { defaultStackFolder } from '@tidemark/infra/stack/places.ts'
import { startOrAttach } from '@tidemark/infra/stack/start-or-attach.ts'
import { type ServiceName, type ServiceProcess, startService } from '../service-processes.ts'
import { line, step } from './print.ts'

export const localFolder = join(import.meta.dirname, '..', '..', '.local')

const servicePorts: Record<ServiceName, number> = {
  ingest: Number(process.env.INGEST_PORT || 4100),
  aggregator: Number(process.env.AGGREGATOR_PORT || 4200),
  invoicer: Number(process.env.INVOICER_PORT || 4300),
  reconciler: Number(process.env.RECONCILER_PORT || 4400),
}

export const urlOf = (service: ServiceName): string => `http://127.0.0.1:${servicePorts[service]}`

export type Environment = Record<string, string>

export type RunningServers = { env: Environment; stop(): Promise<void> }

/** The local stack: the one that runs already, or a new one that ends with this process. */
export async function bringUpStack(): Promise<RunningServers> {
  const stack = await startOrAttach({ dir: defaultStackFolder(process.env) })
  if (stack.attached) line('  The local stack runs already: attached to it.')
  return { env: stack.environment, stop: () => stack.stop() }
}

/** Databases, topics and schemas under one prefix. */
export async function provision(stack: Environment, prefix: string): Promise<Environment> {
  const env = {
    ...stack,
    TIDEMARK_PREFIX: prefix,
    POSTGRES_ROLE_PASSWORD: process.env.POSTGRES_ROLE_PASSWORD ?? 'tidemark',
  }
  await step('Databases, topics and schemas', () =>
    provisionInstallation({ env, log: createLog({ service: 'provision', level: 'warn', pretty: true }) }),
  )
  return env
}

/** The four services, each a process of its own with its log in .local/logs. */
export async function startServices(env: Environment): Promise<ServiceProcess[]> {
  const logDirectory = join(localFolder, 'logs')
  const names: ServiceName[] = ['ingest', 'aggregator', 'invoicer', 'reconciler']
  return step('Services', async () => {
    const starts = await Promise.allSettled(
      names.map((name) => startService({ name, port: servicePorts[name], env, logDirectory })),
    )
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed) {
      await stopServices(started)
      throw failed.reason
    }
    return started
  })
}

/** In reverse, so that nothing new comes in while the rest finishes. */
export async function stopServices(services: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(services.map((service) => service.stop()))
}

/** Every demonstration has its own prefix, so that one played before does not make this one's events duplicates. */
export function nextDemonstration(): { number: number; prefix: string } {
  const file = join(localFolder, 'demonstrations')
  const number = Number(readIfThere(file) ?? 0) + 1
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, String(number))
  return { number, prefix: `demo${number}-` }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
