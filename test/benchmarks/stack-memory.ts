import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { readRecord } from '@tidemark/infra/stack/process-record.ts'
import type { Stack } from '@tidemark/infra/stack/start-stack.ts'
import { type Figure, figureOf } from './figure.ts'

/** What the whole idle stack may take. */
const limitMegabytes = 1_500

const idleMs = 5_000

type Memory = { pss: number; rss: number }

/**
 * Memory of the stack and of each server with its children. RSS counts a page in every process that maps it, so that it
 * is the upper bound: PostgreSQL's shared buffers come several times. PSS divides such a page among all processes that
 * map it, other stacks of the machine included, so that it is too low beside another stack.
 */
export async function measureIdleStack(stack: Stack): Promise<Figure[]> {
  const servers = await measureServers(stack)
  return [
    figureOf('stack_memory', 'MB RSS', [sum(servers, 'rss')], { limit: limitMegabytes }),
    figureOf('stack_memory_pss', 'MB PSS', [sum(servers, 'pss')]),
    ...servers.map(({ name, rss }) => figureOf(`stack_memory_${name}`, 'MB RSS', [rss])),
  ]
}

/** The same stack when the load is over: heaps and caches have grown. */
export async function measureUsedStack(stack: Stack): Promise<Figure[]> {
  return [figureOf('stack_memory_after_load', 'MB RSS', [sum(await measureServers(stack), 'rss')])]
}

const sum = (servers: readonly Memory[], which: 'pss' | 'rss'): number =>
  servers.reduce((total, memory) => total + memory[which], 0)

async function measureServers(stack: Stack): Promise<(Memory & { name: string })[]> {
  await pause(idleMs)
  const servers: (Memory & { name: string })[] = []
  for (const name of [...stack.servers, 'supervisor']) {
    const record = await readRecord(recordFile(stack.dir, name))
    // The servers are the supervisor's children and are counted on their own.
    if (record !== undefined) servers.push({ name, ...(await memoryOf(record.pid, name !== 'supervisor')) })
  }
  return servers
}

async function memoryOf(pid: number, withChildren: boolean): Promise<Memory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  const own = { pss: megabytes(/^Pss:\s+(\d+) kB/m, rollup), rss: megabytes(/^Rss:\s+(\d+) kB/m, rollup) }
  if (!withChildren) return own
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const theirs = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => memoryOf(Number(child), true)),
  )
  return theirs.reduce((total, { pss, rss }) => ({ pss: total.pss + pss, rss: total.rss + rss }), own)
}

const megabytes = (line: RegExp, text: string): number => (Number(line.exec(text)?.[1] ?? 0) * 1024) / 1e6
