import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts, type StackPorts } from '@tidemark/infra/stack/ports.ts'
import { readRecord } from '@tidemark/infra/stack/process-record.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type Installation, installOn, type TestTenant } from '../installation.ts'
import { pauseProcess } from '../pause-process.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { postEvents, sampleEvent } from './ingest-room.ts'

// A broker and a process of this file's own: one is stopped, the memory of the other is measured.
let dir: string
let ports: StackPorts
let broker: Stack
let installation: Installation
let tenants: TestTenant[]
let ingest: ServiceProcess

const boundBytes = 32 * 1_048_576

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-ingest-overload-'))
  ports = await freePorts()
  const { KAFKA_BROKERS: _shared, ...env } = process.env
  broker = await startStack({ dir, ports, servers: ['kafka'], env })
  const stack = { ...inject('stackEnvironment'), KAFKA_BROKERS: broker.environment.KAFKA_BROKERS ?? '' }
  installation = await installOn(stack, 'overload')
  tenants = [await installation.createTenant('acme'), await installation.createTenant('other')]
  const limits = { INGEST_BODIES_BYTES: String(boundBytes), INGEST_SEND_TIMEOUT_MS: '3000' }
  const { kafka: port } = await freePorts()
  ingest = await startService({
    name: 'ingest',
    port,
    env: { ...installation.env, ...limits },
    logDirectory: join(dir, 'logs'),
  })
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
  await broker?.stop()
  await rm(dir, { recursive: true, force: true })
})

/** 1.2 MB in 1,000 events, made once: what is measured is the other process. */
const body = JSON.stringify(
  Array.from({ length: 1_000 }, () => sampleEvent({ data: { note: 'x'.repeat(1_000) } })),
)
const agent = new Agent({ keepAlive: false })

type Answer = { status: number | undefined; code: unknown; retryAfter: string | undefined }

const send = (key: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const sent = request(`${ingest.url}/v1/events`, { method: 'POST', headers, agent })
    sent.on('error', reject).on('response', async (response) => {
      const problem: unknown = JSON.parse(Buffer.concat(await response.toArray()).toString())
      const code = isRecord(problem) ? problem.code : undefined
      resolve({ status: response.statusCode, code, retryAfter: response.headers['retry-after'] })
    })
    sent.end(body)
  })

const residentMb = (): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(ingest.process.pid)], { encoding: 'utf8' })) / 1_024

async function heldBytes(): Promise<number> {
  const text = await (await fetch(`${ingest.url}/metrics`)).text()
  return Number(/^tidemark_ingest_body_bytes(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1])
}

test('while Kafka hangs and many clients keep sending, the only answer is 503 and memory stays bounded', async () => {
  for (const { key } of tenants) expect(await send(key)).toMatchObject({ status: 202 })
  const record = await readRecord(recordFile(dir, 'kafka'))
  if (record === undefined) throw new Error(`no broker runs in ${dir}`)
  const answers = new Map<string, number>()
  let isRunning = true
  const keepSending = async (key: string): Promise<void> => {
    while (isRunning) {
      const { status, code, retryAfter } = await send(key)
      const answer = `${status} ${code} ${retryAfter}`
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }
  }
  let highestMb = 0
  let mostHeldBytes = 0
  await pauseProcess(record.pid)
  try {
    const clients = Array.from({ length: 160 }, (_, at) => keepSending(tenants[at % 2]?.key ?? ''))
    for (const until = performance.now() + 12_000; performance.now() < until; await pause(100)) {
      highestMb = Math.max(highestMb, residentMb())
      mostHeldBytes = Math.max(mostHeldBytes, await heldBytes())
    }
    isRunning = false
    await Promise.all(clients)
  } finally {
    isRunning = false
    process.kill(record.pid, 'SIGCONT')
  }
  expect([...answers.keys()].sort()).toEqual(['503 kafka_unavailable 2', '503 overloaded 2'])
  expect(answers.get('503 overloaded 2')).toBeGreaterThan(100)
  // 160 clients send about 200 MB at a time; what is held stays within the bound, and the process does not grow with them.
  expect(mostHeldBytes).toBeGreaterThan(boundBytes / 2)
  expect(mostHeldBytes).toBeLessThanOrEqual(boundBytes)
  expect(highestMb).toBeLessThan(550)

  const { key = '' } = tenants[0] ?? {}
  await vi.waitFor(
    async () => expect(await postEvents(ingest.url, sampleEvent(), { key })).toMatchObject({ status: 202 }),
    { timeout: 10_000, interval: 50 },
  )
  await expect.poll(heldBytes, { timeout: 5_000, interval: 20 }).toBe(0)
}, 60_000)
