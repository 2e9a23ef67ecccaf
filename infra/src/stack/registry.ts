import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { javaCommand } from './java.ts'
import { registryFolder, registryJar } from './programs-pom.ts'
import type { Server, StackSettings } from './server.ts'

/** Where Apicurio speaks the Confluent API, under the server's root. */
export const confluentPath = '/apis/ccompat/v7'

/** Apicurio Registry on an H2 file: in memory it would hand ids out again after a restart. */
export function registryServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'registry')
  const root = `http://127.0.0.1:${settings.ports.registry}`
  return {
    name: 'registry',
    stopSignal: 'SIGTERM',
    async prepare() {
      await mkdir(folder, { recursive: true })
    },
    async program() {
      return {
        command: javaCommand(process.env),
        args: [
          ...['-Xmx192m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'],
          // Without the optimising compiler it starts with half the work; it serves a few requests a minute.
          '-XX:TieredStopAtLevel=1',
          '-Dquarkus.http.host=127.0.0.1',
          `-Dquarkus.http.port=${settings.ports.registry}`,
          // H2 writes behind by half a second unless told otherwise; an id once given must survive kill -9.
          `-Dquarkus.datasource.jdbc.url=jdbc:h2:file:${join(folder, 'schemas')};WRITE_DELAY=0`,
          ...['-jar', join(settings.programs, registryFolder, registryJar)],
        ],
      }
    },
    probe: () => probeRegistry(`${root}${confluentPath}`),
  }
}

export async function probeRegistry(url: string): Promise<void> {
  const answer = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2000) })
  if (!answer.ok) throw new Error(`GET ${url}/subjects answered ${answer.status}`)
}
