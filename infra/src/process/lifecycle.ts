import { Failure } from './failure.ts'

/** A part with a life: a pool, a consumer, a server. */
export type Component = {
  name: string
  start(): Promise<void> | void
  stop(): Promise<void> | void
}

export type RunningComponents = { stop(): Promise<void> }

/**
 * Starts components one after another, each able to rely on those before it, and gives back what stops them in
 * reverse. When one fails to start (or `signal` says to stop meanwhile), those already started are stopped and a
 * Failure is thrown.
 */
export async function startComponents(
  components: readonly Component[],
  signal?: AbortSignal,
): Promise<RunningComponents> {
  const started: Component[] = []
  for (const component of components) {
    try {
      signal?.throwIfAborted()
      await component.start()
    } catch (cause) {
      await stopAll(started).catch(() => {
        // Why the start failed is what matters; a failing stop after it is only its echo.
      })
      throw new Failure(`${component.name} did not start: ${messageOf(cause)}`, {
        code: 'start_failed',
        retryable: false,
        cause,
      })
    }
    started.unshift(component)
  }
  let stopping: Promise<void> | undefined
  return {
    stop: () => {
      stopping ??= stopAll(started)
      return stopping
    },
  }
}

/** Goes on when one fails, so that a broken connection does not keep a later flush from happening. */
async function stopAll(components: readonly Component[]): Promise<void> {
  const faults: string[] = []
  const causes: unknown[] = []
  for (const component of components) {
    try {
      await component.stop()
    } catch (error) {
      faults.push(`${component.name} did not stop: ${messageOf(error)}`)
      causes.push(error)
    }
  }
  if (faults.length > 0)
    throw new Failure(faults.join('; '), {
      code: 'stop_failed',
      retryable: false,
      cause: causes.length === 1 ? causes[0] : new AggregateError(causes),
    })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
