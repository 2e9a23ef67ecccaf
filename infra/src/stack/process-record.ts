import { mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A process named so that no later process can be taken for it: pids come back, the pair does not. */
export type ProcessRecord = { pid: number; startTime: string }

/** The kernel's start time of a live process, in clock ticks since boot; nothing when it has ended. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is the command in brackets and may hold spaces: count from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const isZombie = fields[0] === 'Z'
  return isZombie ? undefined : fields[19]
}

export async function identify(pid: number): Promise<ProcessRecord> {
  return { pid, startTime: (await startTimeOf(pid)) ?? '' }
}

export async function isAlive(record: ProcessRecord): Promise<boolean> {
  return record.startTime !== '' && (await startTimeOf(record.pid)) === record.startTime
}

/**
 * Memory in bytes of a process with its children (PostgreSQL has many), 0 when it has ended. What several share counts
 * once: the kernel's proportional set size, or the resident size where the kernel does not give it.
 */
export async function memoryBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const own = /^Pss:\s+(\d+) kB/m.exec(rollup) ?? /^VmRSS:\s+(\d+) kB/m.exec(status)
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const theirs = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(memoryBytes))
  return theirs.reduce((total, bytes) => total + bytes, Number(own?.[1] ?? 0) * 1024)
}

/** The live processes whose working directory this is. */
export async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')))
  return pids.filter((_, at) => folders[at] === folder).map(Number)
}

/** Writes a JSON file so that a reader sees the old or the new content, never half of it. */
export async function writeRecord(file: string, content: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.draft`
  await writeFile(draft, JSON.stringify(content))
  await rename(draft, file)
}

export async function readRecord(file: string): Promise<ProcessRecord | undefined> {
  const parsed: unknown = await readJson(file)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  if (!('pid' in parsed) || typeof parsed.pid !== 'number') return undefined
  if (!('startTime' in parsed) || typeof parsed.startTime !== 'string') return undefined
  return { pid: parsed.pid, startTime: parsed.startTime }
}

export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => '')
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Kills a process that nobody supervises any more and waits until it is gone. */
export async function killAndWait(record: ProcessRecord, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  while (await isAlive(record)) {
    try {
      process.kill(record.pid, signal)
    } catch {
      return
    }
    await delay(20)
  }
}

/** Ends what a supervisor that was itself killed left behind, and clears its records. */
export async function reapRecords(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const file = join(folder, entry)
    const record = await readRecord(file)
    if (record !== undefined && record.pid !== process.pid) await killAndWait(record)
    await rm(file, { force: true })
  }
}
