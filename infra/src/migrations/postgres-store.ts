import type { AdminConnection } from './admin-connection.ts'
import type { MigrationFile } from './migration-file.ts'
import type { AppliedMigration } from './plan.ts'

export async function readAppliedPostgres(session: AdminConnection): Promise<AppliedMigration[]> {
  await session.query('CREATE SCHEMA IF NOT EXISTS migrations')
  await session.query(
    `CREATE TABLE IF NOT EXISTS migrations.applied (
       name text PRIMARY KEY,
       sha256 text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now()
     )`,
  )
  return session.query('SELECT name, sha256, applied_at AS "appliedAt" FROM migrations.applied ORDER BY name')
}

/** The file and the note that it is applied are one transaction: a crash leaves both or neither. */
export async function applyToPostgres(session: AdminConnection, file: MigrationFile): Promise<void> {
  await session.query('BEGIN')
  try {
    await session.query(file.sql)
    await session.query('INSERT INTO migrations.applied (name, sha256) VALUES ($1, $2)', [
      file.name,
      file.sha256,
    ])
    await session.query('COMMIT')
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {})
    throw error
  }
}
