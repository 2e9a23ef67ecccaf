import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../process/failure.ts'

export type MigrationFile = {
  /** `0001-usage.sql`: the number gives the order. */
  name: string
  /** Path from the root of the repository, for messages. */
  path: string
  sql: string
  sha256: string
}

const fileName = /^\d{4}-[a-z0-9-]+\.sql$/

/** The SQL files of one store, in order. Refuses names that have no number, and two with the same. */
export async function readMigrationFiles(store: 'postgres' | 'clickhouse'): Promise<MigrationFile[]> {
  const folder = join(import.meta.dirname, '..', store, 'migrations')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const path = (name: string) => `infra/src/${store}/migrations/${name}`
  const faults = nameFaults(names).map(({ name, fault }) => `${path(name)} ${fault}`)
  if (faults.length > 0) throw new Failure(faults.join('\n'), { code: 'migration_name', retryable: false })
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8')
      return { name, path: path(name), sql, sha256: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

export function nameFaults(names: readonly string[]): { name: string; fault: string }[] {
  return names.flatMap((name, position) => {
    if (!fileName.test(name))
      return [{ name, fault: 'needs a name like 0003-billing.sql: four digits, a hyphen, lower case.' }]
    const twin = names.slice(0, position).find((other) => other.slice(0, 4) === name.slice(0, 4))
    return twin === undefined
      ? []
      : [{ name, fault: `has the number of ${twin}; give it the next free one.` }]
  })
}

/**
 * Statements end with a semicolon at the end of a line; a piece of comments only is none. That is enough for files of
 * our own, and it never has to understand SQL.
 */
export function splitStatements(sql: string): string[] {
  return sql
    .split(/;[ \t]*(?:\r?\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement.split('\n').some((line) => !/^\s*(--.*)?$/.test(line)))
}
