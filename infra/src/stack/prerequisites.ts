import { Failure } from '../process/failure.ts'
import { javaFault } from './java.ts'
import type { ServerName } from './server.ts'

/** Rejects, with one line for each thing to mend, when this machine cannot run the servers. */
export async function checkMachine(servers: readonly ServerName[], env: NodeJS.ProcessEnv): Promise<void> {
  const platform = platformFault()
  if (platform !== undefined) throw new Failure(platform, { code: 'stack.platform', retryable: false })
  if (!servers.includes('kafka') && !servers.includes('registry')) return
  const java = await javaFault(env)
  if (java !== undefined) throw new Failure(java, { code: 'stack.java_missing', retryable: false })
}

function platformFault(): string | undefined {
  if (process.platform === 'linux' && process.arch === 'x64' && usesGlibc()) return undefined
  const machine = `${process.platform} ${process.arch}${process.platform === 'linux' ? ' without glibc' : ''}`
  return `The local stack runs on Linux x64 with glibc, this is ${machine}: start the servers with "docker compose -f infra/compose.yaml up --wait" and point the variables named there at them.`
}

function usesGlibc(): boolean {
  const report: unknown = process.report.getReport()
  const header =
    typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header
}
