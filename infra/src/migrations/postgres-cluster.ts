import { escapeIdentifier, escapeLiteral } from 'pg'
import type { AdminConnection } from './admin-connection.ts'

/** One role per service; a service reads another's tables through granted views only. */
export const serviceRoles = [
  'tidemark_ingest',
  'tidemark_aggregator',
  'tidemark_invoicer',
  'tidemark_reconciler',
]

/** Roles belong to the whole server: installations on one server share them and their password. */
export async function createRoles(admin: AdminConnection, password: string): Promise<void> {
  const rows = await admin.query<{ rolname: string }>(
    'SELECT rolname FROM pg_roles WHERE rolname = ANY($1)',
    [serviceRoles],
  )
  const present = new Set(rows.map(({ rolname }) => rolname))
  for (const role of serviceRoles) {
    const verb = present.has(role) ? 'ALTER' : 'CREATE'
    await admin.query(`${verb} ROLE ${escapeIdentifier(role)} LOGIN PASSWORD ${escapeLiteral(password)}`)
  }
}

/**
 * From template0, which nobody can be connected to, in UTF-8 and with bytewise order of text, so that sorting means the
 * same on every machine. Only the service roles may connect.
 */
export async function createDatabase(admin: AdminConnection, database: string): Promise<void> {
  const name = escapeIdentifier(database)
  const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
  if (found.length === 0)
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'`)
  await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`)
  await admin.query(`GRANT CONNECT ON DATABASE ${name} TO ${serviceRoles.map(escapeIdentifier).join(', ')}`)
}
