import pg from 'pg'
import { asPostgresFailure } from '../postgres/failures.ts'
import { createColumnTypes } from '../postgres/types.ts'

/** One session as administrator, with nothing between it and the server: a session lock must stay where it is. */
export type AdminConnection = {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  end(): Promise<void>
}

export async function openAdminConnection(url: string, database?: string): Promise<AdminConnection> {
  const target = new URL(url)
  if (database !== undefined) target.pathname = `/${encodeURIComponent(database)}`
  const client = new pg.Client({
    connectionString: target.href,
    application_name: 'tidemark-migrations',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    options: '-c TimeZone=UTC -c DateStyle=ISO',
    types: createColumnTypes(),
  })
  // The next query reports a connection that broke; without a listener it would end the process instead.
  client.on('error', () => {})
  const asked = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      throw asPostgresFailure(error)
    }
  }
  await asked(() => client.connect())
  return {
    query: async <Row>(sql: string, values: readonly unknown[] = []) => {
      const { rows } = await asked(() => client.query<Row & pg.QueryResultRow>(sql, [...values]))
      return rows
    },
    end: () => client.end(),
  }
}
