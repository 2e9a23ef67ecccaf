import { join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '..', '..', '..')

/** Where the servers' programs are kept; they are the same for every stack, so clones may share one folder. */
export function programsFolder(env: NodeJS.ProcessEnv): string {
  return resolve(env.TIDEMARK_SERVERS_DIR || join(repository, '.local', 'servers'))
}

/** Where the stack of the command line keeps its data. */
export function defaultStackFolder(env: NodeJS.ProcessEnv): string {
  return resolve(env.TIDEMARK_STACK_DIR || join(repository, '.local', 'stack'))
}

/** Where that stack's ClickHouse looks for further users; ClickHouse fixes the name beside its users.xml. */
export function clickhouseUsersFolder(stackFolder: string): string {
  return join(stackFolder, 'clickhouse', 'users.d')
}

export function logFile(stackFolder: string, name: string): string {
  return join(stackFolder, 'logs', `${name}.log`)
}

export function recordFile(stackFolder: string, name: string): string {
  return join(stackFolder, 'run', `${name}.json`)
}

/** The Stripe simulator's program: it belongs to its own room and is only started from here. */
export const stripeSimulatorProgram = join(import.meta.dirname, '..', 'stripe-simulator', 'main.ts')
