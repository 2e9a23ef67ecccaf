import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asFailure, Failure } from '../process/failure.ts'
import { recordFile } from './places.ts'
import { assertPortsFree } from './ports.ts'
import { tryLock } from './process-lock.ts'
import { identify, reapRecords, writeRecord } from './process-record.ts'
import type { ServerName, StackSettings } from './server.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { serverOf } from './servers.ts'
import type { SupervisorOrder, SupervisorReport } from './supervisor-protocol.ts'

// The one process that owns the servers. It is the child of whoever starts the stack and ends every server when
// that process ends, however it ends: the channel between them closes. Only "release" makes it stay.

const running = new Map<ServerName, ServerProcess>()
let starting: Promise<void> = Promise.resolve()
let own: StackSettings | undefined
let released = false
let stopping: Promise<void> | undefined

process.on('message', (order: SupervisorOrder) => {
  if (order.kind === 'start') starting = start(order.settings).catch(fail)
  if (order.kind === 'release') released = true
  if (order.kind === 'stop') stop(0)
})
process.on('disconnect', () => {
  if (!released) stop(0)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0))
// The terminal that ran stack:up may close.
process.on('SIGHUP', () => {})

async function start(settings: StackSettings): Promise<void> {
  const { folder } = settings
  await mkdir(folder, { recursive: true })
  if ((await tryLock(`stack:${await realpath(folder)}`)) === undefined)
    throw new Failure(`Another stack runs in ${folder}; end it with: npm run stack:down`, {
      code: 'stack.running',
      retryable: true,
    })
  await reapRecords(join(folder, 'run'))
  await assertPortsFree(settings.servers, settings.ports)
  await markFolder(folder)
  const self = await identify(process.pid)
  own = settings
  const record = recordFile(folder, 'supervisor')
  await writeRecord(record, { ...self, ready: false, settings })
  await Promise.all(settings.servers.map((name) => startOne(name, settings)))
  await writeRecord(record, { ...self, ready: true, settings })
  report({ kind: 'ready' })
}

async function startOne(name: ServerName, settings: StackSettings): Promise<void> {
  try {
    const server = await startServer(serverOf(name, settings), settings)
    running.set(name, server)
    // A stop may have come while this server was being made ready to start.
    if (stopping !== undefined) return await server.stop()
    await server.ready()
    report({ kind: 'server-ready', server: name })
    server.ended.then(() => {
      if (stopping === undefined) console.error(`${new Date().toISOString()} ${name} ended by itself`)
    })
  } catch (error) {
    // Once a stop has come the others end because of it, not by a fault of their own.
    if (stopping === undefined)
      report({ kind: 'server-failed', server: name, message: asFailure(error).message })
    throw error
  }
}

/** Marks the folder as a stack's, so that a reset never removes a folder that was named by mistake. */
async function markFolder(folder: string): Promise<void> {
  await writeFile(
    join(folder, 'tidemark-stack'),
    'The data of a local Tidemark stack; npm run stack:reset removes it.\n',
  )
}

function report(message: SupervisorReport): void {
  if (process.connected) process.send?.(message)
}

function fail(error: unknown): void {
  if (stopping !== undefined) return
  const failure = asFailure(error)
  console.error(`${new Date().toISOString()} ${failure.message}`)
  report({ kind: 'failed', message: failure.message, code: failure.code })
  stop(1)
}

function stop(exitCode: number): void {
  stopping ??= stopAll().finally(() => process.exit(exitCode))
}

async function stopAll(): Promise<void> {
  const stopRunning = () => Promise.all([...running.values()].map((server) => server.stop()))
  await stopRunning()
  // Servers that were being prepared meanwhile see that a stop came, and end themselves.
  await starting
  await stopRunning()
  if (own === undefined) return
  if (own.temporary) await rm(own.folder, { recursive: true, force: true })
  else await rm(recordFile(own.folder, 'supervisor'), { force: true })
}
