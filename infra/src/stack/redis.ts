import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { redisBinary, redisFolder } from './programs-pom.ts'
import type { Server, StackSettings } from './server.ts'

export function redisServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'redis')
  return {
    name: 'redis',
    stopSignal: 'SIGTERM',
    async prepare() {
      await mkdir(folder, { recursive: true })
    },
    async program() {
      const options = {
        bind: '127.0.0.1',
        port: settings.ports.redis,
        dir: folder,
        appendonly: 'yes',
        // What the log of commands holds need not be written as snapshots besides: each is a process that takes a core for seconds.
        save: '',
        'auto-aof-rewrite-min-size': '256mb',
      }
      return {
        command: join(settings.programs, redisFolder, redisBinary),
        args: Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      }
    },
    probe: () => probeRedis(`redis://127.0.0.1:${settings.ports.redis}`),
  }
}

export async function probeRedis(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 })
  // The rejection of connect() says the same; without a listener ioredis prints it besides.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } finally {
    client.disconnect()
  }
}
