import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts, type StackPorts } from '@tidemark/infra/stack/ports.ts'
import { killAndWait, readRecord } from '@tidemark/infra/stack/process-record.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type Installation, installOn, type TestTenant } from '../installation.ts'
import { pauseProcess } from '../pause-process.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  startIngest,
} from './ingest-room.ts'

// A broker of this file's own: what happens to it must not happen to the other tests.
let dir: string
let ports: StackPorts
let broker: Stack
let installation: Installation
let tenant: TestTenant
let ingest: RunningIngest

const startBroker = async (): Promise<void> => {
  const { KAFKA_BROKERS: _shared, ...env } = process.env
  broker = await startStack({ dir, ports, servers: ['kafka'], env })
}

async function brokerProcess() {
  const record = await readRecord(recordFile(dir, 'kafka'))
  if (record === undefined) throw new Error(`no broker runs in ${dir}`)
  return record
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-ingest-outage-'))
  ports = await freePorts()
  await startBroker()
  const stack = { ...inject('stackEnvironment'), KAFKA_BROKERS: broker.environment.KAFKA_BROKERS ?? '' }
  installation = await installOn(stack, 'outage')
  tenant = await installation.createTenant('acme')
  ingest = await startIngest(installation.env, { INGEST_SEND_TIMEOUT_MS: '2000' })
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
  await broker?.stop()
  await rm(dir, { recursive: true, force: true })
})

/** Sends batches one after another until told to stop; notes what was acknowledged and every status. */
function startClient() {
  const acknowledged: string[] = []
  const statuses = new Map<number, number>()
  let isRunning = true
  const running = (async () => {
    while (isRunning) {
      const batch = Array.from({ length: 20 }, () => sampleEvent())
      const { status, body, headers } = await postEvents(ingest.url, batch, { key: tenant.key })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 202) acknowledged.push(...batch.map(({ id }) => String(id)))
      if (status !== 503) continue
      expect(body).toMatchObject({ code: 'kafka_unavailable' })
      expect(headers.get('retry-after')).toBe('2')
      await pause(20)
    }
  })()
  const stop = async (): Promise<void> => {
    isRunning = false
    await running
  }
  return { acknowledged, statuses, stop }
}

async function expectInLog(ids: readonly string[]): Promise<void> {
  const kafka = openKafka(installation.env)
  const logged = new Set((await readUsageEvents(kafka, installation.prefix)).map(({ id }) => id))
  await kafka.disconnect()
  expect(ids.filter((id) => !logged.has(id))).toEqual([])
}

test('while Kafka is killed the answer is 503 and never 202; all that was acknowledged is there afterwards', async () => {
  const clients = Array.from({ length: 4 }, startClient)
  const total = (status: number) =>
    clients.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0)
  await vi.waitFor(() => expect(total(202)).toBeGreaterThan(50), { timeout: 20_000, interval: 20 })

  await killAndWait(await brokerProcess())
  const before = total(202)
  await vi.waitFor(() => expect(total(503)).toBeGreaterThan(10), { timeout: 20_000, interval: 20 })
  // Answers to what the broker had acknowledged before its end may still have been under way.
  expect(total(202) - before).toBeLessThanOrEqual(clients.length)
  const readiness = await fetch(`${ingest.url}/readyz`)
  expect(readiness.status).toBe(503)
  await readiness.body?.cancel()

  await broker.stop()
  await startBroker()
  const returned = performance.now()
  const atReturn = total(202)
  await vi.waitFor(() => expect(total(202)).toBeGreaterThan(atReturn), { timeout: 10_000, interval: 10 })
  expect(performance.now() - returned).toBeLessThan(5_000)
  await Promise.all(clients.map(({ stop }) => stop()))
  const statuses = new Set(clients.flatMap((client) => [...client.statuses.keys()]))
  expect([...statuses].sort()).toEqual([202, 503])
  await expectInLog(clients.flatMap(({ acknowledged }) => acknowledged))
  expect(ingest.fatal).toEqual([])
})

test('a broker that hangs is answered with 503 within the deadline, and used again when it goes on', async () => {
  const { pid } = await brokerProcess()
  await pauseProcess(pid)
  try {
    const from = performance.now()
    const answer = await postEvents(ingest.url, sampleEvent(), { key: tenant.key })
    expect(answer).toMatchObject({ status: 503, body: { code: 'kafka_unavailable' } })
    expect(performance.now() - from).toBeLessThan(4_000)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  const event = sampleEvent()
  await vi.waitFor(
    async () => expect((await postEvents(ingest.url, event, { key: tenant.key })).status).toBe(202),
    { timeout: 10_000, interval: 50 },
  )
  await expectInLog([String(event.id)])
})
