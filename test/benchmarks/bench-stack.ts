import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { stopRunningStack } from '@tidemark/infra/stack/running-stack.ts'
import { startStackShown } from '@tidemark/infra/stack/shown-start.ts'
import type { Stack } from '@tidemark/infra/stack/start-stack.ts'
import { type ServiceName, type ServiceProcess, spawnService } from '../service-processes.ts'
import { stopWorkers } from './worker.ts'

export type BenchStack = {
  stack: Stack
  /**
   * A service as a process of its own, as in production, its log in a folder that nothing else writes to. It is not
   * waited for.
   */
  spawn(name: ServiceName, env: Record<string, string>, logFolder: string): Promise<ServiceProcess>
  /** Ends whatever still runs. The data go with the stack. */
  stop(): Promise<void>
}

const local = join(import.meta.dirname, '..', '..', '.local')
const dir = join(local, 'bench-stack')
const logs = join(local, 'logs', 'bench')

/** Servers of its own on free ports, so that a benchmark meets no one else's data. */
export async function startBenchStack(): Promise<BenchStack> {
  if (await stopRunningStack(dir)) console.log('  Ended a stack that an earlier benchmark left.')
  for (const folder of [dir, logs]) await rm(folder, { recursive: true, force: true })
  const stack = await startStackShown({ dir, ports: await freePorts(), temporary: true })
  const services = new Set<ServiceProcess>()
  return {
    stack,
    async spawn(name, env, logFolder) {
      const { redis: port } = await freePorts()
      const service = spawnService({ name, port, env, logDirectory: join(logs, logFolder) })
      services.add(service)
      return service
    },
    async stop() {
      stopWorkers()
      await Promise.all([...services].map((service) => service.stop()))
      await stack.stop()
    },
  }
}
