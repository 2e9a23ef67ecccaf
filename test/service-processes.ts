import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export type ServiceName = 'ingest' | 'aggregator' | 'invoicer' | 'reconciler'

export type ServiceProcess = {
  readonly name: ServiceName
  readonly url: string
  readonly process: ChildProcess
  readonly logFile: string
  /** Resolves with the exit code after SIGTERM (or the signal given). */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export type ServiceOptions = {
  name: ServiceName
  port: number
  env: Record<string, string>
  logDirectory: string
  /** Another entry than the service's own main.ts, such as one that kills itself between two steps. */
  entry?: string
}

const readyWithinMs = 60_000

/**
 * How glibc gives memory back, as services/ingest/README.md advises: by its defaults it keeps what large requests once
 * took, in pieces, and resident memory grows for hours although nothing is held.
 */
const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/**
 * How V8 keeps ingest's memory small, as services/ingest/README.md advises: twelve megabytes hold what requests under way need, and
 * the rest of the heap may grow by half, not fourfold, before it is looked through again.
 */
const heap: Partial<Record<ServiceName, readonly string[]>> = {
  ingest: ['--max-semi-space-size=12', '--heap-growing-percent=50'],
}

/**
 * Where all share one machine, what works behind the log gives way to what somebody waits for, as services/aggregator/README.md
 * advises: its bursts took the processors from the front door for tens of milliseconds.
 */
const niceness: Partial<Record<ServiceName, number>> = { aggregator: 10 }

/** Starts one service as a process of its own, as in production, and waits until it says that it is ready. */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const service = spawnService(options)
  try {
    await waitUntilReady(service)
    return service
  } catch (error) {
    await service.stop('SIGKILL')
    throw error
  }
}

/** Starts one service without waiting. */
export function spawnService({ name, port, env, logDirectory, entry }: ServiceOptions): ServiceProcess {
  mkdirSync(logDirectory, { recursive: true })
  const logFile = join(logDirectory, `${name}.log`)
  const log = openSync(logFile, 'a')
  const [command, ...args] = [
    ...guard(),
    ...yielding(name),
    process.execPath,
    ...(heap[name] ?? []),
    entry ?? mainOf(name),
  ]
  const child = spawn(command ?? process.execPath, args, {
    env: { ...allocator, ...process.env, ...env, [`${name.toUpperCase()}_PORT`]: String(port) },
    stdio: ['ignore', log, log],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    process: child,
    logFile,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return ended
    },
  }
}

/** @throws Error when the service ends instead, or is not ready in time; it names the log and what was not ready. */
export async function waitUntilReady(service: ServiceProcess, withinMs = readyWithinMs): Promise<void> {
  const deadline = Date.now() + withinMs
  let last = 'it did not answer'
  while (Date.now() < deadline) {
    if (service.process.exitCode !== null || service.process.signalCode !== null)
      throw new Error(
        `${service.name} ended at its start (exit code ${service.process.exitCode}): see ${service.logFile}`,
      )
    const answer = await fetch(`${service.url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(
      () => undefined,
    )
    if (answer?.ok) return
    if (answer) last = await answer.text()
    await pause(100)
  }
  throw new Error(`${service.name} was not ready within ${withinMs} ms (${last}): see ${service.logFile}`)
}

let guarded: boolean | undefined

/** Where the machine has setpriv, the kernel ends a service together with whoever started it, even by kill -9. */
function guard(): string[] {
  guarded ??= spawnSync('setpriv', ['--version']).status === 0
  return guarded ? ['setpriv', '--pdeathsig', 'TERM'] : []
}

let canYield: boolean | undefined

/** As `setpriv`, `nice` replaces itself by what it starts. */
function yielding(name: ServiceName): string[] {
  const by = niceness[name]
  if (by === undefined) return []
  canYield ??= spawnSync('nice', ['-n', '0', 'true']).status === 0
  return canYield ? ['nice', '-n', String(by)] : []
}

const mainOf = (name: ServiceName): string =>
  fileURLToPath(new URL(`../services/${name}/src/main.ts`, import.meta.url))
