import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The user that PostgreSQL runs as: it refuses root, so root gives it a user "postgres", made if there is none. */
export async function postgresUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const known = await lookUp()
  if (known !== undefined) return known
  await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'])
  const made = await lookUp()
  if (made === undefined)
    throw new Error('useradd made no user "postgres", which PostgreSQL must run as under root')
  return made
}

async function lookUp(): Promise<{ uid: number; gid: number } | undefined> {
  const users = await readFile('/etc/passwd', 'utf8')
  const found = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users)
  return found === null ? undefined : { uid: Number(found[1]), gid: Number(found[2]) }
}
