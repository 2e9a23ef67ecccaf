import closeWithGrace from 'close-with-grace'
import { asFailure, Failure } from './failure.ts'
import { type Component, type RunningComponents, startComponents } from './lifecycle.ts'
import type { Log } from './log.ts'

/** Ends the service: for what cannot go on, like a gap in the offsets. Logged, stopped in order, exit code 1. */
export type Fatal = (error: unknown) => void

export type ServiceOptions = {
  name: string
  log: Log
  /** One deadline for stopping everything; whatever is left then is dropped with the process. */
  shutdownTimeoutMs: number
  /** Builds the components, in the order in which they start. */
  start(fatal: Fatal): readonly Component[] | Promise<readonly Component[]>
}

/**
 * Runs a service until a signal or a fatal failure ends the process: exit code 0 after a clean stop, 1 otherwise.
 * Resolves when everything has started.
 */
export async function runService({ name, log, shutdownTimeoutMs, start }: ServiceOptions): Promise<void> {
  const stopRequested = new AbortController()
  let starting: Promise<RunningComponents> | undefined
  let failed = false

  const grace = closeWithGrace(
    {
      delay: shutdownTimeoutMs,
      logger: false,
      skip: [...stopSignals],
      onTimeout: (delayMs) => log.error({ delayMs }, `${name} did not stop in time and is ended`),
      onSecondError: (err) => log.error({ err }, `${name} failed again while it stopped`),
    },
    async ({ err }) => {
      if (err !== undefined) log.error({ err }, `${name} failed and stops`)
      stopRequested.abort(new Error('a stop was asked for'))
      const running = await starting?.catch(() => undefined)
      try {
        await running?.stop()
      } catch (error) {
        log.error({ err: error }, `${name} did not stop cleanly`)
        throw error
      }
      log.info(`${name} has stopped`)
      // Rejecting is how the exit code becomes 1.
      if (failed) throw new Error(`${name} failed`)
    },
  )

  // A second close would race the first.
  const stop = () => {
    if (!stopRequested.signal.aborted) grace.close()
  }
  onStopSignal((signal) => {
    log.info({ signal }, `${name} stops`)
    stop()
  })

  function fatal(error: unknown): void {
    if (failed) return
    failed = true
    log.error({ err: error }, `${name} cannot go on and stops`)
    stop()
  }

  async function startAll(): Promise<RunningComponents> {
    return startComponents(await start(fatal), stopRequested.signal)
  }

  starting = startAll()
  try {
    await starting
    log.info(`${name} has started`)
  } catch (error) {
    if (stopRequested.signal.aborted) return
    logStartFailure(log, name, asFailure(error))
    process.exit(1)
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * A terminal, npm and a parent process each pass one Ctrl-C on, so signals within a second are one wish to stop. A
 * later one is impatience: the process ends at once.
 */
function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let firstAt: number | undefined
  const handle = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      stop(signal)
    } else if (performance.now() - firstAt > 1_000) process.exit(1)
  }
  for (const signal of stopSignals) process.on(signal, handle)
}

/** What an adapter has named, like a server that does not answer, needs no stack to be understood. */
function logStartFailure(log: Log, name: string, failure: Failure): void {
  const isNamed =
    failure.code !== 'unexpected' && (failure.cause === undefined || failure.cause instanceof Failure)
  log.error(isNamed ? {} : { err: failure }, `${name} could not start: ${failure.message}`)
}
