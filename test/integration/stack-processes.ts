import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { addressVariables } from '@tidemark/infra/stack/environment.ts'
import { freePorts, portVariables } from '@tidemark/infra/stack/ports.ts'
import { isAlive, type ProcessRecord, readRecord } from '@tidemark/infra/stack/process-record.ts'

const stackFolder = join(import.meta.dirname, '..', '..', 'infra', 'src', 'stack')

export type Variables = Record<string, string | undefined>

/** A folder, ports and variables under which a test runs the stack's commands beside everything else. */
export async function freshStack(): Promise<{ dir: string; variables: Variables }> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-stack-'))
  return { dir, variables: { TIDEMARK_STACK_DIR: dir, ...portVariables(await freePorts()) } }
}

export type Outcome = { code: number | null; out: string; err: string }

/** Runs one command of the stack to its end, as `npm run stack:<command>` does. */
export async function stackCommand(args: string[], variables: Variables): Promise<Outcome> {
  const child = start([join(stackFolder, 'cli.ts'), ...args], variables)
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => (out += chunk))
  child.stderr?.on('data', (chunk) => (err += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

/** A process that starts some servers and stays; resolves when they are up. */
export async function stackOwner(dir: string, variables: Variables): Promise<ChildProcess> {
  const program = `
    const { startStack } = await import(${JSON.stringify(join(stackFolder, 'start-stack.ts'))})
    await startStack({ dir: ${JSON.stringify(dir)}, servers: ['redis', 'postgres', 'clickhouse'] })
    console.log('up')
    setInterval(() => {}, 1000)`
  const child = start(['--input-type=module', '--eval', program], variables)
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', () => reject(new Error('the owner of the stack ended before its servers were up')))
  })
  return child
}

function start(args: string[], variables: Variables): ChildProcess {
  const outside = Object.fromEntries(Object.values(addressVariables).map((name) => [name, undefined]))
  return spawn(process.execPath, args, { env: { ...process.env, ...outside, ...variables } })
}

/** The supervisor and the servers of a stack by name, as they recorded themselves. */
export async function recordedProcesses(dir: string): Promise<Map<string, ProcessRecord>> {
  const found = new Map<string, ProcessRecord>()
  for (const file of await readdir(join(dir, 'run'))) {
    const record = await readRecord(join(dir, 'run', file))
    if (record !== undefined) found.set(basename(file, '.json'), record)
  }
  return found
}

export async function countAlive(records: Map<string, ProcessRecord>): Promise<number> {
  return (await Promise.all([...records.values()].map(isAlive))).filter(Boolean).length
}

/** Where this machine has its java, for a PATH that holds nothing else. */
export function findJava(): string {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const candidate = join(folder, 'java')
    if (existsSync(candidate)) return candidate
  }
  throw new Error('these tests need java on the PATH')
}
