import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../process/failure.ts'
import { launcher } from './launcher.ts'
import { logFile, recordFile } from './places.ts'
import { identify, writeRecord } from './process-record.ts'
import { type Server, type StackSettings, serverTitles } from './server.ts'

// A few seconds on an idle machine; test runs on two cores share it with everything else.
const readyWithinMs = 120_000
const stopWithinMs = 20_000
const largestLogBytes = 10_000_000

export type ServerProcess = {
  pid: number
  hasEnded(): boolean
  /** Ends when the process has ended. */
  ended: Promise<void>
  /** Resolves once the server answers; rejects with the end of its log if it dies or stays silent. */
  ready(): Promise<void>
  /** Asks it to stop, and kills it when it does not within 20 s. */
  stop(): Promise<void>
}

/** Starts one server as a child of this process, its output in its log file, its identity in a record file. */
export async function startServer(server: Server, settings: StackSettings): Promise<ServerProcess> {
  await server.prepare()
  const log = logFile(settings.folder, server.name)
  const child = await spawnLogged(server, settings.folder, log)
  const { pid } = child
  if (pid === undefined) throw await deathOf(server, log, 'could not be started')
  await writeRecord(recordFile(settings.folder, server.name), await identify(pid))

  // Asked of the child itself: it may have ended before anyone could listen for it.
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const ended = new Promise<void>((resolve) => {
    if (hasEnded()) resolve()
    child.once('exit', () => resolve())
  })
  return {
    pid,
    hasEnded,
    ended,
    ready: () => waitUntilReady(server, log, hasEnded),
    async stop() {
      if (!hasEnded()) child.kill(server.stopSignal)
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
      await ended
      clearTimeout(timer)
      await rm(recordFile(settings.folder, server.name), { force: true })
    },
  }
}

async function spawnLogged(server: Server, folder: string, log: string): Promise<ChildProcess> {
  await mkdir(dirname(log), { recursive: true })
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size > largestLogBytes) await rename(log, `${log}.1`)
  const output = await open(log, 'a')
  try {
    const { command, args, env, user } = await launcher(await server.program())
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', output.fd, output.fd],
      ...user,
    })
    // A command that is not there: the missing pid tells the caller.
    child.on('error', () => {})
    return child
  } finally {
    await output.close()
  }
}

async function waitUntilReady(server: Server, log: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    if (hasEnded()) throw await deathOf(server, log, 'ended while starting')
    try {
      return await server.probe()
    } catch (error) {
      if (Date.now() > deadline)
        throw await deathOf(server, log, `did not answer within ${readyWithinMs / 1000} s (${error})`)
    }
    await delay(100)
  }
}

async function deathOf(server: Server, log: string, what: string): Promise<Failure> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n')
  const message = `${serverTitles[server.name]} ${what}. The end of ${log}:\n${lines.slice(-8).join('\n')}`
  return new Failure(message, { code: 'stack.server_failed', retryable: false })
}
