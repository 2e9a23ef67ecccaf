import { Readable } from 'node:stream'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { withDeadline } from './deadline.ts'
import { asClickHouseFailure } from './failures.ts'
import { checkColumns, checkTable } from './names.ts'
import { blockSettings, commonSettings, completeSettings, insertSettings } from './settings.ts'

export type Params = Readonly<Record<string, unknown>>

export type CallOptions = {
  /** Overrides the client's own deadline for this call. */
  timeoutMs?: number
  signal?: AbortSignal
}

export type ClickHouse = {
  /** All rows. Values only as `{name:Type}`; 64-bit integers and decimals come back as text, times as ISO text. */
  query<Row>(sql: string, params?: Params, options?: CallOptions): Promise<Row[]>
  /** Rows as they come, for results that do not fit in memory; the deadline counts between two pieces. */
  stream<Row>(sql: string, params?: Params, options?: CallOptions): AsyncIterable<Row>
  /** The whole answer in RowBinary, for results of many rows whose columns have one width. */
  queryRowBinary(sql: string, params?: Params, options?: CallOptions): Promise<Buffer>
  /** Rows as JSON, bigint allowed; resolves when they are written. */
  insert(
    table: string,
    rows: readonly Params[],
    columns?: readonly string[],
    options?: CallOptions,
  ): Promise<void>
  /** Blocks in Native, all of them as one insert, with these columns; resolves when they are written. */
  insertNative(
    table: string,
    columns: readonly string[],
    blocks: readonly Uint8Array[],
    options?: CallOptions,
  ): Promise<void>
  /** Statements without an answer, and INSERT … SELECT. */
  command(sql: string, params?: Params, options?: CallOptions): Promise<void>
  /** Asks with the user's name, which the open /ping would not check. */
  ping(): Promise<void>
  close(): Promise<void>
}

export type ClickHouseOptions = {
  url: string
  user: string
  password: string
  database: string
  /** Shown in the server's query log. */
  applicationName?: string
  timeoutMs?: number
  maxConnections?: number
}

/** Every method rejects with a Failure as classified in failures.ts. */
export function createClickHouse(options: ClickHouseOptions): ClickHouse {
  const timeoutMs = options.timeoutMs ?? 30_000
  const client = createClient({
    url: options.url,
    username: options.user,
    password: options.password,
    database: options.database,
    application: options.applicationName ?? 'tidemark',
    // Deadlines are ours, so that they are told from other errors; this one only catches what they cannot see.
    request_timeout: Math.max(timeoutMs * 2, 600_000),
    max_open_connections: options.maxConnections ?? 10,
    log: { level: ClickHouseLogLevel.OFF },
  })

  const call = async <T>(run: (signal: AbortSignal) => Promise<T>, given: CallOptions = {}): Promise<T> => {
    try {
      return await withDeadline(run, given.timeoutMs ?? timeoutMs, given.signal)
    } catch (error) {
      throw asClickHouseFailure(error)
    }
  }

  const execute = async (
    sql: string,
    signal: AbortSignal,
    values?: Readable,
    settings = insertSettings,
  ): Promise<void> => {
    const { stream } = await client.exec({
      query: sql,
      abort_signal: signal,
      clickhouse_settings: settings,
      ...(values === undefined ? {} : { values }),
    })
    // The connection goes back only after the (empty) answer has been read.
    for await (const _ of stream);
  }

  async function* stream<Row>(sql: string, params: Params, given: CallOptions): AsyncGenerator<Row> {
    const result = await call(
      (signal) =>
        client.query({
          query: sql,
          query_params: { ...params },
          format: 'JSONEachRow',
          abort_signal: signal,
          clickhouse_settings: commonSettings,
        }),
      given,
    )
    const pieces = result.stream<Row>()[Symbol.asyncIterator]()
    try {
      for (;;) {
        const piece = await call(() => pieces.next(), given)
        if (piece.done === true) return
        for (const row of piece.value) yield row.json()
      }
    } finally {
      // A reader that stops early ends the query too.
      result.close()
    }
  }

  return {
    query: (sql, params = {}, given) =>
      call(async (signal) => {
        const result = await client.query({
          query: sql,
          query_params: { ...params },
          format: 'JSONEachRow',
          abort_signal: signal,
          // One text for one parse: line by line takes twice the time for thousands of rows.
          clickhouse_settings: { ...completeSettings, output_format_json_array_of_rows: 1 },
        })
        return JSON.parse(await result.text())
      }, given),
    queryRowBinary: (sql, params = {}, given) =>
      call(async (signal) => {
        // Its status comes when all is done, so that bytes of an error never pass for rows.
        const { stream: bytes } = await client.exec({
          query: `${sql} FORMAT RowBinary`,
          query_params: { ...params },
          abort_signal: signal,
          clickhouse_settings: completeSettings,
        })
        const pieces: Buffer[] = []
        for await (const piece of bytes) pieces.push(piece)
        return Buffer.concat(pieces)
      }, given),
    stream: (sql, params = {}, given = {}) => stream(sql, params, given),
    insert: async (table, rows, columns, given) => {
      if (rows.length === 0) return
      const into = `${checkTable(table)}${columns === undefined ? '' : ` (${checkColumns(columns)})`}`
      const lines = rows.map((row) => JSON.stringify(row, bigintAsText)).join('\n')
      await call(
        (signal) => execute(`INSERT INTO ${into} FORMAT JSONEachRow`, signal, toStream([lines])),
        given,
      )
    },
    insertNative: async (table, columns, blocks, given) => {
      const written = blocks.filter(({ byteLength }) => byteLength > 0)
      if (written.length === 0) return
      const into = `${checkTable(table)} (${checkColumns(columns)})`
      const sql = `INSERT INTO ${into} FORMAT Native`
      await call((signal) => execute(sql, signal, toStream(written), blockSettings), given)
    },
    command: async (sql, params = {}, given) => {
      await call(
        (signal) =>
          client.command({
            query: sql,
            query_params: { ...params },
            abort_signal: signal,
            clickhouse_settings: insertSettings,
          }),
        given,
      )
    },
    ping: async () => {
      await call(async (signal) => {
        const result = await client.ping({ select: true, abort_signal: signal })
        if (!result.success) throw result.error
      })
    },
    close: () => client.close(),
  }
}

/** As these pieces and not by their bytes, which is how a stream would read an iterable. */
function toStream(pieces: readonly (string | Uint8Array)[]): Readable {
  return Readable.from(pieces, { objectMode: false })
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
