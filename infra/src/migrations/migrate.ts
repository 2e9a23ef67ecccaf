import { databaseName } from '@tidemark/schemas/prefix.ts'
import { type ClickHouse, createClickHouse } from '../clickhouse/client.ts'
import { asFailure, Failure } from '../process/failure.ts'
import type { Log } from '../process/log.ts'
import { type AdminConnection, openAdminConnection } from './admin-connection.ts'
import { applyToClickHouse, readAppliedClickHouse } from './clickhouse-store.ts'
import { type MigrationFile, readMigrationFiles } from './migration-file.ts'
import { planMigrations } from './plan.ts'
import { createDatabase, createRoles } from './postgres-cluster.ts'
import { applyToPostgres, readAppliedPostgres } from './postgres-store.ts'
import { withSessionLock } from './session-lock.ts'

export type MigrateOptions = {
  /** As an administrator that may create databases and roles. */
  postgresUrl: string
  rolePassword: string
  clickHouse: { url: string; user: string; password: string }
  prefix: string
  log: Log
  /** How long to wait for another process that migrates the same installation. */
  lockTimeoutMs?: number
}

/**
 * Brings both databases of an installation to the newest files: creates databases and roles, applies what is missing,
 * refuses what contradicts history. Safe to run again and by several processes at once; they take turns.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { prefix, log, lockTimeoutMs = 300_000 } = options
  const database = databaseName(prefix)
  const admin = await openAdminConnection(options.postgresUrl)
  try {
    await withSessionLock(admin, `tidemark migrations of ${database}`, lockTimeoutMs, async () => {
      // Roles are shared by every installation on the server, so two of these must not meet there either.
      await withSessionLock(admin, 'tidemark roles', lockTimeoutMs, () =>
        createRoles(admin, options.rolePassword),
      )
      await createDatabase(admin, database)
      await migratePostgres(admin, options.postgresUrl, database, log)
      await migrateClickHouse(admin, options.clickHouse, database, log)
    })
  } finally {
    await admin.end().catch(() => {})
  }
}

async function migratePostgres(
  admin: AdminConnection,
  url: string,
  database: string,
  log: Log,
): Promise<void> {
  const session = await openAdminConnection(url, database)
  try {
    const files = await readMigrationFiles('postgres')
    const pending = planMigrations(files, await readAppliedPostgres(session), 'infra/src/postgres/migrations')
    await applyEach(admin, pending, log, (file) => applyToPostgres(session, file))
  } finally {
    await session.end().catch(() => {})
  }
}

async function migrateClickHouse(
  admin: AdminConnection,
  server: MigrateOptions['clickHouse'],
  database: string,
  log: Log,
): Promise<void> {
  // The database may not exist yet; statements name it.
  const clickHouse: ClickHouse = createClickHouse({ ...server, database: 'default', timeoutMs: 120_000 })
  try {
    const files = await readMigrationFiles('clickhouse')
    const applied = await readAppliedClickHouse(clickHouse, database)
    const pending = planMigrations(files, applied, 'infra/src/clickhouse/migrations')
    await applyEach(admin, pending, log, (file) => applyToClickHouse(clickHouse, database, file))
  } finally {
    await clickHouse.close()
  }
}

async function applyEach(
  admin: AdminConnection,
  files: readonly MigrationFile[],
  log: Log,
  apply: (file: MigrationFile) => Promise<void>,
): Promise<void> {
  for (const file of files) {
    // A session that was lost has lost its lock: another process may be at work.
    await admin.query('SELECT 1')
    try {
      await apply(file)
    } catch (cause) {
      const { message, retryable } = asFailure(cause)
      throw new Failure(`${file.path} could not be applied: ${message}`, {
        code: 'migration_failed',
        retryable,
        cause,
      })
    }
    log.info({ file: file.path }, 'A migration is applied')
  }
}
