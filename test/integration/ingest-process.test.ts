import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listApiKeys } from '@tidemark/ingest/api-keys.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { openKafka, postEvents, readUsageEvents, sampleEvent } from './ingest-room.ts'

let installation: Installation
let tenant: TestTenant
let logDirectory: string
const services: ServiceProcess[] = []

beforeAll(async () => {
  logDirectory = await mkdtemp(join(tmpdir(), 'tidemark-ingest-'))
  installation = await createInstallation('process')
  tenant = await installation.createTenant('acme')
})

afterAll(async () => {
  for (const service of services) await service.stop('SIGKILL')
  await installation?.remove()
  await rm(logDirectory, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function startProcess(): Promise<ServiceProcess> {
  const service = await startService({
    name: 'ingest',
    port: await freePort(),
    env: installation.env,
    logDirectory,
  })
  services.push(service)
  return service
}

/** Several clients send batches until their connection breaks; what was acknowledged is kept. */
function startClients(url: string) {
  const acknowledged: string[] = []
  const statuses = new Set<number>()
  const client = async () => {
    for (;;) {
      const batch = Array.from({ length: 100 }, () => sampleEvent())
      const answer = await postEvents(url, batch, { key: tenant.key }).catch(() => undefined)
      if (answer === undefined) return
      statuses.add(answer.status)
      if (answer.status === 202) acknowledged.push(...batch.map(({ id }) => String(id)))
    }
  }
  const ended = Promise.all(Array.from({ length: 8 }, client))
  return { acknowledged, statuses, ended }
}

async function missingFromLog(ids: readonly string[]): Promise<string[]> {
  const kafka = openKafka(installation.env)
  const logged = new Set((await readUsageEvents(kafka, installation.prefix)).map(({ id }) => id))
  await kafka.disconnect()
  return ids.filter((id) => !logged.has(id))
}

test('asked to stop under load, it answers what it took in, ends with exit code 0 and loses nothing', async () => {
  const service = await startProcess()
  const clients = startClients(service.url)
  await vi.waitFor(() => expect(clients.acknowledged.length).toBeGreaterThan(5_000), {
    timeout: 30_000,
    interval: 5,
  })
  const from = performance.now()
  expect(await service.stop('SIGTERM')).toBe(0)
  expect(performance.now() - from).toBeLessThan(10_000)
  await clients.ended
  expect([...clients.statuses].filter((status) => status !== 202 && status !== 503)).toEqual([])
  expect(await missingFromLog(clients.acknowledged)).toEqual([])
  const [key] = await listApiKeys(installation.openPool('tidemark_ingest'))
  expect(key?.lastUsedAt).not.toBeNull()
})
