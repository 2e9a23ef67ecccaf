import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { clickhouseConfig, clickhouseUsers } from './clickhouse-config.ts'
import type { Server, StackSettings } from './server.ts'

export function clickhouseServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'clickhouse')
  const config = join(folder, 'config.xml')
  const { ports, credentials } = settings
  return {
    name: 'clickhouse',
    stopSignal: 'SIGTERM',
    async prepare() {
      await mkdir(folder, { recursive: true })
      await writeFile(config, clickhouseConfig(settings.folder, folder))
      await writeFile(join(folder, 'users.xml'), clickhouseUsers(credentials), { mode: 0o600 })
    },
    async program() {
      const program = join(import.meta.dirname, 'clickhouse-process.ts')
      const listen = [String(ports.clickhouseHttp), String(ports.clickhouseTcp)]
      return { command: process.execPath, args: [program, config, join(folder, 'data'), ...listen] }
    },
    probe: () =>
      probeClickhouse(
        `http://127.0.0.1:${ports.clickhouseHttp}`,
        credentials.clickhouseUser,
        credentials.clickhousePassword,
      ),
  }
}

export async function probeClickhouse(url: string, username: string, password: string): Promise<void> {
  const client = createClient({
    url,
    username,
    password,
    request_timeout: 5000,
    // A server that does not answer yet is no news: the caller gets the error.
    log: { level: ClickHouseLogLevel.OFF },
  })
  try {
    await client.command({ query: 'SELECT 1' })
  } finally {
    await client.close()
  }
}
