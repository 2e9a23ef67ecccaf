import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../process/failure.ts'
import { environmentOf } from './environment.ts'
import { findRunningStack, type RunningStack, serverStates, stopRunningStack } from './running-stack.ts'
import { startStackShown } from './shown-start.ts'
import type { Stack, StackOptions } from './start-stack.ts'

const recordWithinMs = 10_000

/**
 * Uses the stack that runs in this folder, or starts one. Whoever attaches does not own the stack: its stop() and
 * the end of its process leave the servers alone. A running stack of which a server does not answer is started again.
 */
export async function startOrAttach(options: StackOptions): Promise<Stack & { attached: boolean }> {
  const running = await untilStarted(options.dir)
  if (running !== undefined) {
    const unhealthy = (await serverStates(running)).filter((state) => !state.healthy)
    if (unhealthy.length === 0) return attach(running, options)
    console.log(
      `Starting again, because of ${unhealthy.map(({ name, answer }) => `${name}: ${answer}`).join('; ')}`,
    )
    await stopRunningStack(options.dir)
  }
  try {
    return { ...(await startStackShown(options)), attached: false }
  } catch (error) {
    // Another process was a moment faster.
    if (!(error instanceof Failure && error.code === 'stack.running')) throw error
    const other = await untilRecorded(options.dir)
    if (other === undefined) throw error
    return attach(other, options)
  }
}

function attach(
  { settings, supervisor }: RunningStack,
  options: StackOptions,
): Stack & { attached: boolean } {
  return {
    attached: true,
    dir: settings.folder,
    servers: settings.servers,
    environment: environmentOf(settings, options.env ?? process.env),
    supervisorPid: supervisor.pid,
    stop: async () => {},
    release: () => {},
  }
}

/** The stack of this folder once it has finished starting; nothing if there is none or it ends instead. */
async function untilStarted(dir: string): Promise<RunningStack | undefined> {
  for (;;) {
    const stack = await findRunningStack(dir)
    if (stack === undefined || stack.ready) return stack
    await delay(100)
  }
}

/** As untilStarted, for a supervisor that has its lock already but not yet its record. */
async function untilRecorded(dir: string): Promise<RunningStack | undefined> {
  const deadline = Date.now() + recordWithinMs
  while ((await findRunningStack(dir)) === undefined && Date.now() < deadline) await delay(50)
  return untilStarted(dir)
}
