import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Failure } from '../process/failure.ts'
import { environmentOf, localCredentials, type StackEnvironment, serversToStart } from './environment.ts'
import { logFile, programsFolder } from './places.ts'
import { configuredPorts, type StackPorts } from './ports.ts'
import { checkMachine } from './prerequisites.ts'
import { installPrograms } from './programs.ts'
import { type ServerName, type StackSettings, serverNames } from './server.ts'
import type { SupervisorOrder, SupervisorReport } from './supervisor-protocol.ts'

export type StackOptions = {
  /** Where all data, logs and process records of this stack lie. */
  dir: string
  /** Default: the ports of the environment, see configuredPorts; freePorts() gives others. */
  ports?: StackPorts
  /** Default: all. Those that the environment points elsewhere are never started. */
  servers?: readonly ServerName[]
  /** Where the Stripe simulator sends its webhooks. Default: STRIPE_SIMULATOR_WEBHOOK_URL, comma-separated. */
  stripeWebhookUrls?: readonly string[]
  /** Removes the folder with all data when the stack stops, whatever stops it. */
  temporary?: boolean
  env?: NodeJS.ProcessEnv
  onProgress?: (progress: StackProgress) => void
}

export type StackProgress =
  | { step: 'programs'; state: 'working' | 'done'; detail: string }
  | { step: ServerName; state: 'done' | 'failed'; detail: string }

export type Stack = {
  dir: string
  /** The servers that this stack started; the others were given from outside. */
  servers: readonly ServerName[]
  environment: StackEnvironment
  supervisorPid: number | undefined
  /** Stops every server and keeps the data, unless the stack is temporary. */
  stop(): Promise<void>
  /** Lets the stack live on after this process; it is then stopped from the command line. */
  release(): void
}

/**
 * Starts the servers and returns when each of them answers. They end with this process, however it ends, unless
 * released. Rejects with a Failure whose message tells a person what to do; nothing is then left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const env = options.env ?? process.env
  const servers = serversToStart(options.servers ?? serverNames, env)
  const settings: StackSettings = {
    folder: resolve(options.dir),
    temporary: options.temporary ?? false,
    programs: '',
    ports: options.ports ?? configuredPorts(env),
    servers,
    credentials: localCredentials(env),
    stripeWebhookUrls: [...(options.stripeWebhookUrls ?? configuredWebhooks(env))],
  }
  const environment = environmentOf(settings, env)
  if (servers.length === 0) return outsideStack(settings.folder, environment)
  await checkMachine(servers, env)
  const { onProgress = () => {} } = options
  if (servers.some((name) => name === 'kafka' || name === 'registry' || name === 'redis'))
    settings.programs = await installPrograms(programsFolder(env), env, (detail) =>
      onProgress({ step: 'programs', state: 'working', detail }),
    )
  onProgress({ step: 'programs', state: 'done', detail: '' })
  const supervisor = await spawnSupervisor(settings, env)
  await untilReady(supervisor, settings, onProgress)
  return {
    dir: settings.folder,
    servers,
    environment,
    supervisorPid: supervisor.pid,
    stop: () => stopSupervisor(supervisor),
    release: () => releaseSupervisor(supervisor),
  }
}

function configuredWebhooks(env: NodeJS.ProcessEnv): string[] {
  return (env.STRIPE_SIMULATOR_WEBHOOK_URL ?? '').split(',').filter((url) => url !== '')
}

/** The variables by which services and tests find this stack's servers. */
export function stackEnvironment(stack: Stack): StackEnvironment {
  return stack.environment
}

function outsideStack(dir: string, environment: StackEnvironment): Stack {
  return { dir, servers: [], environment, supervisorPid: undefined, stop: async () => {}, release: () => {} }
}

async function spawnSupervisor(settings: StackSettings, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const log = logFile(settings.folder, 'supervisor')
  await mkdir(dirname(log), { recursive: true })
  const output = await open(log, 'a')
  // Options of the caller's own Node (a test runner's loader, a debugger's port) are not for the servers.
  const { NODE_OPTIONS: _own, ...inherited } = env
  try {
    return spawn(process.execPath, [join(import.meta.dirname, 'supervisor.ts')], {
      cwd: settings.folder,
      // A process group of its own: Ctrl-C reaches the caller, which then stops the servers in order.
      detached: true,
      env: inherited,
      stdio: ['ignore', output.fd, output.fd, 'ipc'],
    })
  } finally {
    await output.close()
  }
}

function untilReady(
  supervisor: ChildProcess,
  settings: StackSettings,
  onProgress: (progress: StackProgress) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure = new Failure(`The stack's supervisor ended; see ${logFile(settings.folder, 'supervisor')}`, {
      code: 'stack.supervisor_ended',
      retryable: false,
    })
    const ended = (): void => reject(failure)
    supervisor.once('error', reject)
    // After a failure the supervisor first stops what it had started: nothing is left when this rejects.
    supervisor.once('exit', ended)
    supervisor.on('message', (report: SupervisorReport) => {
      if (report.kind === 'server-ready') onProgress({ step: report.server, state: 'done', detail: '' })
      if (report.kind === 'server-failed')
        onProgress({ step: report.server, state: 'failed', detail: report.message })
      if (report.kind === 'failed')
        failure = new Failure(report.message, { code: report.code, retryable: false })
      if (report.kind === 'ready') {
        supervisor.off('exit', ended)
        resolve()
      }
    })
    give(supervisor, { kind: 'start', settings })
  })
}

function give(supervisor: ChildProcess, order: SupervisorOrder): void {
  // A supervisor that is gone already shows in its exit event.
  if (supervisor.connected) supervisor.send(order, () => {})
}

function stopSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    supervisor.once('exit', () => resolve())
    give(supervisor, { kind: 'stop' })
  })
}

function releaseSupervisor(supervisor: ChildProcess): void {
  supervisor.send({ kind: 'release' } satisfies SupervisorOrder, () => supervisor.disconnect())
  supervisor.unref()
}
