import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { identify, isAlive, readRecord, writeRecord } from '@tidemark/infra/stack/process-record.ts'
import { stopRunningStack } from '@tidemark/infra/stack/running-stack.ts'
import { startStackShown } from '@tidemark/infra/stack/shown-start.ts'
import { type Stack, stackEnvironment } from '@tidemark/infra/stack/start-stack.ts'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The addresses of this run's servers, as environment variables for services. */
    stackEnvironment: StackEnvironment
  }
}

declare global {
  var tidemarkTestStack: SharedStack | undefined
}

/** One stack for all projects of a run; the last project to finish stops it. */
type SharedStack = { users: number; stack: Promise<Stack> }

const local = join(import.meta.dirname, '..', '.local')
const dir = join(local, `test-${process.pid}`)
const attempts = 3

/**
 * vitest loads this file once for every project that names it, each time anew, but in one process: only a global
 * variable keeps a second stack from being started.
 */
export async function setup(project: TestProject): Promise<void> {
  globalThis.tidemarkTestStack ??= { users: 0, stack: startTestStack() }
  globalThis.tidemarkTestStack.users += 1
  project.provide('stackEnvironment', stackEnvironment(await globalThis.tidemarkTestStack.stack))
}

export async function teardown(): Promise<void> {
  const shared = globalThis.tidemarkTestStack
  if (shared === undefined) return
  shared.users -= 1
  if (shared.users > 0) return
  globalThis.tidemarkTestStack = undefined
  await (await shared.stack).stop()
  // Without servers of its own, all given from outside, nobody else removes it.
  await rm(dir, { recursive: true, force: true })
}

async function startTestStack(): Promise<Stack> {
  await removeLeftovers()
  await writeRecord(join(dir, 'owner.json'), await identify(process.pid))
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startStackShown({ dir, ports: await freePorts(), temporary: true })
    } catch (error) {
      // Another process may take a port between finding it free and listening on it.
      if (attempt === attempts || !isPortTaken(error)) throw error
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'stack.port_taken'
}

/** Removes the folders of runs whose supervisor was killed too, before it could. */
async function removeLeftovers(): Promise<void> {
  for (const entry of await readdir(local).catch(() => [])) {
    if (!entry.startsWith('test-')) continue
    const old = join(local, entry)
    const owner = await readRecord(join(old, 'owner.json'))
    if (owner !== undefined && (await isAlive(owner))) continue
    await stopRunningStack(old)
    await rm(old, { recursive: true, force: true })
  }
}
