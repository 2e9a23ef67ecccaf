import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { DataType, load, open } from 'ffi-rs'

// This process becomes a ClickHouse server: libchdb.so holds the whole of ClickHouse, and query_stable_v2 runs its
// "local" program in the calling process. Its last query never ends, so neither do the listeners.
const [config = '', data = '', httpPort = '', tcpPort = ''] = process.argv.slice(2)

const queries = [
  'SYSTEM START LISTEN HTTP',
  'SYSTEM START LISTEN TCP',
  `SELECT sleepEachRow(1) FROM numbers(1000000000)
   SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1 FORMAT Null`,
]

const argv = [
  'clickhouse-local',
  // The level in the configuration file is not heeded by this program.
  ...['--config-file', config, '--path', data, '--log-level=error'],
  ...['--listen_host=127.0.0.1', `--http_port=${httpPort}`, `--tcp_port=${tcpPort}`],
  ...['--query', queries.join('; ')],
]

// One machine for everything: what is stored and merged behind the log gives way to what somebody waits for. Its threads inherit it.
setPriority(10)

open({ library: 'chdb', path: fileURLToPath(import.meta.resolve('@chdb/lib-linux-x64-gnu/libchdb.so')) })
const serve = load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
  // On the main thread it would block this process's own signals.
  runInNewThread: true,
})
await serve
console.error('ClickHouse ended; its own log says why')
process.exit(1)
