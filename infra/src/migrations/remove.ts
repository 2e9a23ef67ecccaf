import { databaseName } from '@tidemark/schemas/prefix.ts'
import { escapeIdentifier } from 'pg'
import { createClickHouse } from '../clickhouse/client.ts'
import { Failure } from '../process/failure.ts'
import { openAdminConnection } from './admin-connection.ts'
import type { MigrateOptions } from './migrate.ts'

/** Drops both databases of an installation made for a while, like a test's. One without a prefix is never dropped. */
export async function removeDatabases(
  options: Pick<MigrateOptions, 'postgresUrl' | 'clickHouse' | 'prefix'>,
): Promise<void> {
  if (options.prefix === '')
    throw new Failure('Only an installation with a TIDEMARK_PREFIX can be removed', {
      code: 'removal_refused',
      retryable: false,
    })
  const database = databaseName(options.prefix)
  const admin = await openAdminConnection(options.postgresUrl)
  const clickHouse = createClickHouse({ ...options.clickHouse, database: 'default' })
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(database)} WITH (FORCE)`)
    await clickHouse.command(`DROP DATABASE IF EXISTS ${database}_finance SYNC`)
    await clickHouse.command(`DROP DATABASE IF EXISTS ${database} SYNC`)
  } finally {
    await admin.end()
    await clickHouse.close()
  }
}
