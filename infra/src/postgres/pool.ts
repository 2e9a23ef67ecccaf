import pg from 'pg'
import type { Log } from '../process/log.ts'
import { asPostgresFailure } from './failures.ts'
import { createColumnTypes } from './types.ts'

export type QueryResult<Row> = {
  rows: Row[]
  rowCount: number
  /** What the server says it did, like `INSERT`. */
  command: string
}

/** What a pool and a transaction both offer. Values only as `$1`, `$2`; columns become values as types.ts says. */
export type Queryable = {
  /** @throws Failure as classified in failures.ts */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>>
}

export type Connection = Queryable & {
  /** Closes the connection at the end instead of handing it, in an unknown state, to the next caller. */
  discard(): void
}

export type Pool = Queryable & {
  /** A connection of one's own for a while, as transactions need it. */
  withConnection<T>(fn: (connection: Connection) => Promise<T>): Promise<T>
  end(): Promise<void>
}

export type PoolOptions = {
  /** Any URL of the server; its host, port and parameters are used, user and database are replaced. */
  url: string
  database: string
  user: string
  password: string
  max: number
  applicationName: string
  /** Longest statement: beyond it a lock or a plan has gone wrong and waiting only fills the pool. */
  statementTimeoutMs?: number
  connectTimeoutMs?: number
  log?: Log
}

export function connectionUrl(
  url: string,
  { database, user, password }: Record<'database' | 'user' | 'password', string>,
): string {
  const target = new URL(url)
  target.username = encodeURIComponent(user)
  target.password = encodeURIComponent(password)
  target.pathname = `/${encodeURIComponent(database)}`
  return target.href
}

export function createPool(options: PoolOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000
  const pool = new pg.Pool({
    connectionString: connectionUrl(options.url, options),
    application_name: options.applicationName,
    max: options.max,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    // For a server that is gone without a word: its own limit can then not reach us.
    query_timeout: statementTimeoutMs + 5_000,
    // A transaction whose process hangs must not hold its locks for ever.
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    // types.ts reads times as the session prints them.
    options: '-c TimeZone=UTC -c DateStyle=ISO',
    types: createColumnTypes(),
  })
  // Without a listener an idle connection that breaks would end the process; the pool replaces it by itself.
  pool.on('error', (error) => options.log?.warn({ err: error }, 'An idle PostgreSQL connection broke'))
  return {
    query: (sql, values) => run(pool, sql, values),
    withConnection: (fn) => withConnection(pool, fn),
    end: () => pool.end(),
  }
}

async function run<Row>(
  target: pg.Pool | pg.PoolClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<QueryResult<Row>> {
  try {
    const { rows, rowCount, command } = await target.query<Row & pg.QueryResultRow>(sql, [...values])
    return { rows, rowCount: rowCount ?? 0, command }
  } catch (error) {
    throw asPostgresFailure(error)
  }
}

async function withConnection<T>(pool: pg.Pool, fn: (connection: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asPostgresFailure(error)
  })
  let broken = false
  const discard = () => {
    broken = true
  }
  // A connection that breaks while no statement runs has no other way to say so than this event.
  client.on('error', discard)
  try {
    return await fn({ query: (sql, values) => run(client, sql, values), discard })
  } finally {
    client.off('error', discard)
    client.release(broken)
  }
}
