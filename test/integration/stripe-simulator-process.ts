import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'

const program = fileURLToPath(new URL('../../infra/src/stripe-simulator/main.ts', import.meta.url))

export type SimulatorProcess = {
  url(): string
  /** The official client, unchanged; every key is an account of its own. */
  client(secretKey: string): Stripe
  /** Calls /_simulator/…, for the account of the key. */
  control(method: string, path: string, body?: unknown, secretKey?: string): Promise<unknown>
  /** kill -9, then a new process on the same folder and another free port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A simulator as a process of its own, on a free port and with a folder of its own. */
export async function startSimulator(): Promise<SimulatorProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tidemark-stripe-'))
  let { child, url } = await spawnSimulator(dataDir)

  async function kill(): Promise<void> {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  return {
    url: () => url,
    client: (secretKey) => {
      const { hostname, port } = new URL(url)
      return new Stripe(secretKey, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0 })
    },
    control: async (method, path, body, secretKey) => {
      const response = await fetch(`${url}/_simulator/${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(secretKey === undefined ? {} : { authorization: `Bearer ${secretKey}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.json()
    },
    restart: async () => {
      await kill()
      const next = await spawnSimulator(dataDir)
      child = next.child
      url = next.url
    },
    stop: async () => {
      await kill()
      rmSync(dataDir, { recursive: true })
    },
  }
}

async function spawnSimulator(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env.PATH,
      STRIPE_SIMULATOR_PORT: '0',
      STRIPE_SIMULATOR_DATA_DIR: dataDir,
      STRIPE_SIMULATOR_WEBHOOK_RETRY_BASE_MS: '20',
      STRIPE_SIMULATOR_WEBHOOK_RETRY_MAX_MS: '100',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const output = child.stdout
  if (output === null) throw new Error('the simulator has no output to read its address from')
  for await (const line of createInterface({ input: output })) {
    const entry: Record<string, unknown> = JSON.parse(line)
    if (typeof entry.address === 'string') {
      output.resume()
      return { child, url: entry.address }
    }
  }
  throw new Error('the simulator ended before it listened')
}

type Received = { body: string; signature: string; type: string; id: string }

export type WebhookReceiver = {
  url: string
  received: Received[]
  /** Status codes to answer with, one after another; then 200. */
  answers: number[]
  close(): Promise<void>
}

export async function startReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = []
  const answers: number[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const { id, type } = JSON.parse(body)
    received.push({ body, signature: String(request.headers['stripe-signature']), type, id })
    response.writeHead(answers.shift() ?? 200).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
  return {
    url: `http://127.0.0.1:${address.port}/webhooks`,
    received,
    answers,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
