import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure } from '../process/failure.ts'
import { mavenFault } from './java.ts'
import { launcher } from './launcher.ts'
import { lock } from './process-lock.ts'
import { programsPom, redisBinary, redisFolder } from './programs-pom.ts'

/** Tells a person what goes on; called with short texts while Maven works. */
type Report = (text: string) => void

/**
 * Makes sure that the servers' programs are there and returns their folder. Everything is fetched into a draft
 * folder that takes its final name in one step, so an interrupted fetch leaves nothing half-installed; a lock lets
 * two processes ask at once.
 */
export async function installPrograms(
  folder: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<string> {
  const installed = join(folder, createHash('sha256').update(programsPom).digest('hex').slice(0, 12))
  if (await exists(installed)) return installed
  const fault = await mavenFault(env)
  if (fault !== undefined) throw new Failure(fault, { code: 'stack.maven_missing', retryable: false })
  report('waiting for its turn')
  const held = await lock(`programs:${folder}`)
  try {
    if (!(await exists(installed))) await fetchPrograms(folder, installed, env, report)
  } finally {
    await held.release()
  }
  return installed
}

async function fetchPrograms(
  folder: string,
  installed: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  // Under the lock every draft is a leftover of a fetch that was killed.
  for (const entry of await readdir(folder))
    if (entry.startsWith('draft-')) await rm(join(folder, entry), { recursive: true, force: true })
  const draft = await mkdtemp(join(folder, 'draft-'))
  try {
    await writeFile(join(draft, 'pom.xml'), programsPom)
    await runMaven(draft, env, report)
    await chmod(join(draft, redisFolder, redisBinary), 0o755)
    // The draft is private to its maker; PostgreSQL's user need not enter, but other users of a shared folder may.
    await chmod(draft, 0o755)
    await rename(draft, installed)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function runMaven(draft: string, env: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const goal = ['--batch-mode', '--file', join(draft, 'pom.xml'), `-Dprograms=${draft}`, 'generate-resources']
  const { command, args } = await launcher({ command: 'mvn', args: goal })
  const maven = spawn(command, args, { env, cwd: draft, stdio: ['ignore', 'pipe', 'pipe'] })
  const errors: string[] = []
  for (const input of [maven.stdout, maven.stderr])
    createInterface({ input }).on('line', (line) => {
      const file = /Downloading from .*\/([^/]+)$/.exec(line)?.[1]
      if (file !== undefined) report(file)
      if (line.includes('ERROR') && errors.length < 3) errors.push(line)
    })
  const code = await new Promise((resolve, reject) => {
    maven.once('error', reject)
    maven.once('close', resolve)
  })
  if (code === 0) return
  throw new Failure(
    `Maven could not fetch the servers' programs (exit code ${code}). Is its repository reachable?\n${errors.join('\n')}`,
    { code: 'stack.fetch_failed', retryable: true },
  )
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
