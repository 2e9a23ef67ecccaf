import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { type AdminConnection, openAdminConnection } from '@tidemark/infra/migrations/admin-connection.ts'
import { type MigrateOptions, migrate } from '@tidemark/infra/migrations/migrate.ts'
import { readMigrationFiles } from '@tidemark/infra/migrations/migration-file.ts'
import { removeDatabases } from '@tidemark/infra/migrations/remove.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'

const stack = inject('stackEnvironment')
const prefix = `mig-${randomBytes(4).toString('hex')}-`
const database = databaseName(prefix)
const installation: MigrateOptions = {
  postgresUrl: stack.POSTGRES_URL ?? '',
  rolePassword: 'tidemark',
  clickHouse: {
    url: stack.CLICKHOUSE_URL ?? '',
    user: stack.CLICKHOUSE_USER ?? '',
    password: stack.CLICKHOUSE_PASSWORD ?? '',
  },
  prefix,
  log: createLog({ service: 'test', level: 'silent', pretty: false }),
}
const infra = (path: string) => import.meta.resolve(`@tidemark/infra/${path}`)
const children: ChildProcess[] = []
let session: AdminConnection

/** Runs a program beside this one; what it prints comes with its exit code. */
function spawnNode(args: string[]): {
  child: ChildProcess
  ended: Promise<{ code: unknown; output: string }>
} {
  const env = { ...process.env, ...stack, TIDEMARK_PREFIX: prefix, LOG_LEVEL: 'info' }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) }
}

beforeAll(async () => {
  const entry = new URL(infra('migrations/main.ts')).pathname
  const runs = await Promise.all([spawnNode([entry]).ended, spawnNode([entry]).ended])
  expect(runs.map(({ code }) => code)).toEqual([0, 0])
  const files = [...(await readMigrationFiles('postgres')), ...(await readMigrationFiles('clickhouse'))]
  const applied = runs.flatMap(({ output }) =>
    [...output.matchAll(/"file":"([^"]+)"/g)].map(([, path]) => path),
  )
  // Two processes on an empty server: every file is applied, by one of them only.
  expect(applied.sort()).toEqual(files.map(({ path }) => path).sort())
  session = await openAdminConnection(installation.postgresUrl, database)
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

afterAll(async () => {
  await session?.end()
  await removeDatabases(installation)
})

test('a second run changes nothing', async () => {
  const applied = 'SELECT name, applied_at FROM migrations.applied ORDER BY name'
  const before = await session.query(applied)
  await migrate(installation)
  expect(await session.query(applied)).toEqual(before)
})

test('each service signs in with its own role and reaches only what is granted to it', async () => {
  const sign = (user: string) =>
    createPool({
      url: installation.postgresUrl,
      database,
      user,
      password: 'tidemark',
      max: 1,
      applicationName: 'test',
    })
  const [ingest, invoicer] = [sign('tidemark_ingest'), sign('tidemark_invoicer')]
  try {
    await expect(ingest.query('SELECT count(*) FROM access.tenants')).resolves.toMatchObject({
      rows: [{ count: 0n }],
    })
    await expect(invoicer.query('SELECT * FROM access.valid_keys')).resolves.toMatchObject({ rows: [] })
    await expect(invoicer.query('SELECT * FROM access.api_keys')).rejects.toMatchObject({
      code: 'postgres_42501',
    })
  } finally {
    await Promise.all([ingest.end(), invoicer.end()])
  }
})

test('a PostgreSQL file edited after it was applied is refused by name', async () => {
  const [{ name, sha256 } = { name: '', sha256: '' }] = await session.query<{ name: string; sha256: string }>(
    'SELECT name, sha256 FROM migrations.applied ORDER BY name LIMIT 1',
  )
  const note = (hash: string) =>
    session.query('UPDATE migrations.applied SET sha256 = $2 WHERE name = $1', [name, hash])
  await note('the hash of another text')
  await expect(migrate(installation)).rejects.toMatchObject({
    code: 'migration_refused',
    message: expect.stringMatching(
      `infra/src/postgres/migrations/${name} was applied on .* and has been edited since`,
    ),
  })
  await note(sha256)
  await migrate(installation)
})

test('a ClickHouse file that is gone, and one put in before it, are refused by name', async () => {
  const clickHouse = createClickHouse({ ...installation.clickHouse, database })
  try {
    const gone = { name: '9999-gone.sql', sha256: '', applied_at: '2026-01-01T00:00:00Z' }
    await clickHouse.insert('migrations', [gone])
    await expect(migrate(installation)).rejects.toThrow(
      'infra/src/clickhouse/migrations/9999-gone.sql was applied on 2026-01-01T00:00:00.000Z and is gone; bring the file back.',
    )
    await clickHouse.command("DELETE FROM migrations WHERE name = '9999-gone.sql'")
    await migrate(installation)
  } finally {
    await clickHouse.close()
  }
})

/** A process that holds the installation's lock, as one does in the middle of its migrations, until it is ended. */
async function holdLock(): Promise<ChildProcess> {
  const program = `
    import { openAdminConnection } from '${infra('migrations/admin-connection.ts')}'
    import { withSessionLock } from '${infra('migrations/session-lock.ts')}'
    const session = await openAdminConnection(process.env.POSTGRES_URL)
    await withSessionLock(session, 'tidemark migrations of ${database}', 5000, async () => {
      console.log('held')
      await new Promise((resolve) => setTimeout(resolve, 600000))
    })`
  const { child } = spawnNode(['--input-type=module', '--eval', program])
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

test('while one process migrates, another waits no longer than it was told to', async () => {
  await holdLock()
  await expect(migrate({ ...installation, lockTimeoutMs: 100 })).rejects.toMatchObject({
    code: 'migration_locked',
  })
})

test('a process killed while it migrates leaves no lock behind', async () => {
  const holder = await holdLock()
  const waiting = migrate({ ...installation, lockTimeoutMs: 60_000 })
  holder.kill('SIGKILL')
  await waiting
})
