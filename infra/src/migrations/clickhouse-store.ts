import type { ClickHouse } from '../clickhouse/client.ts'
import { type MigrationFile, splitStatements } from './migration-file.ts'
import type { AppliedMigration } from './plan.ts'

export async function readAppliedClickHouse(
  clickHouse: ClickHouse,
  database: string,
): Promise<AppliedMigration[]> {
  await clickHouse.command(`CREATE DATABASE IF NOT EXISTS ${database}`)
  await clickHouse.command(
    `CREATE TABLE IF NOT EXISTS ${database}.migrations (name String, sha256 String, applied_at DateTime64(3, 'UTC'))
     ENGINE = ReplacingMergeTree(applied_at) ORDER BY name`,
  )
  return clickHouse.query(
    `SELECT name, sha256, applied_at AS appliedAt FROM ${database}.migrations FINAL ORDER BY name`,
  )
}

/**
 * ClickHouse has no transaction for this, so the note comes last and every statement is one that may run again: after a
 * crash the whole file is applied once more.
 */
export async function applyToClickHouse(
  clickHouse: ClickHouse,
  database: string,
  file: MigrationFile,
): Promise<void> {
  const sql = file.sql.replaceAll(/\$\{database\}/g, database)
  for (const statement of splitStatements(sql)) await clickHouse.command(statement)
  await clickHouse.insert(`${database}.migrations`, [
    { name: file.name, sha256: file.sha256, applied_at: new Date().toISOString() },
  ])
}
