import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { startComponents } from '@tidemark/infra/process/lifecycle.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import { configSchema } from '@tidemark/invoicer/config.ts'
import { buildInvoicer } from '@tidemark/invoicer/service.ts'
import type Stripe from 'stripe'
import { expect } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { insertCustomer, insertOpenInvoice } from './open-invoice.ts'
import { type SimulatorProcess, startSimulator } from './stripe-simulator-process.ts'

export const webhookSecret = 'whsec_of_the_payments_room'

type TestAttempt = {
  id: string
  state: string
  decline_code: string | null
  processor_intent_id: string | null
}

export type TestInvoice = { id: string; customer: string; processorCustomerId: string; totalMicros: bigint }

/** An installation, a simulator with an account of its own, and invoicers between them. */
export type PaymentsRoom = {
  readonly installation: Installation
  readonly tenant: TestTenant
  /** As the invoicer's own role. */
  readonly pool: Pool
  readonly simulator: SimulatorProcess
  readonly stripe: Stripe
  readonly url: string
  /** What an invoicer process reads; all of this room's listen on one port, one after the other. */
  readonly env: Record<string, string>
  /** Starts an invoicer as a process of its own, for tests that kill it. */
  spawnInvoicer(env?: Record<string, string>): Promise<ServiceProcess>
  /** Starts an invoicer in this process. */
  startInvoicer(env?: Record<string, string>): Promise<{ stop(): Promise<void> }>
  /** An open invoice of a new customer with that card; 12.50 EUR unless told. */
  openInvoice(testMethod?: string, totalMicros?: bigint): Promise<TestInvoice>
  stateOf(invoice: TestInvoice): Promise<string | undefined>
  attemptsOf(invoice: TestInvoice): Promise<TestAttempt[]>
  /** Types of the events that were told of the invoice, in order. */
  toldOf(invoice: TestInvoice): Promise<string[]>
  /** Waits until the invoice is paid, then holds the processor's side against it: one intent, captured once. */
  expectPaidOnce(invoice: TestInvoice): Promise<void>
  script(fault: string, more?: object): Promise<unknown>
  collect(invoice: TestInvoice, headers?: Record<string, string>): Promise<{ status: number; body: unknown }>
  close(): Promise<void>
}

/** How long a test waits for what the invoicer does in its own time. */
export const soon = { timeout: 30_000, interval: 20 }

export const paidEvents = ['billing.payment.succeeded.v1', 'billing.invoice.paid.v1']

export async function openPaymentsRoom(name: string): Promise<PaymentsRoom> {
  const installation = await createInstallation(name)
  const simulator = await startSimulator()
  const tenant = await installation.createTenant(name)
  const pool = installation.openPool('tidemark_invoicer')
  const secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
  const stripe = simulator.client(secretKey)
  const port = await freePort()
  const logDirectory = mkdtempSync(join(tmpdir(), 'tidemark-invoicer-'))
  const url = `http://127.0.0.1:${port}`
  const env: Record<string, string> = {
    ...installation.env,
    INVOICER_PORT: String(port),
    STRIPE_API_URL: simulator.url(),
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    INVOICER_COLLECTION_INTERVAL_MS: '20',
    INVOICER_PAYMENT_TIMEOUT_MS: '400',
    INVOICER_PAYMENT_RETRY_MIN_MS: '20',
    INVOICER_PAYMENT_RETRY_MAX_MS: '200',
  }
  await simulator.control(
    'POST',
    'webhook_endpoints',
    { url: `${url}/v1/webhooks/stripe`, secret: webhookSecret },
    secretKey,
  )
  const processor = createStripeProcessor({
    secretKey,
    apiUrl: simulator.url(),
    webhookSecret,
    timeoutMs: 10_000,
  })
  const writer = { pool, processor, tenant: tenant.tenant }

  const stateOf: PaymentsRoom['stateOf'] = async ({ id }) => {
    const { rows } = await pool.query<{ state: string }>('SELECT state FROM billing.invoices WHERE id = $1', [
      id,
    ])
    return rows[0]?.state
  }
  const attemptsOf: PaymentsRoom['attemptsOf'] = async ({ id }) => {
    const { rows } = await pool.query<TestAttempt>(
      `SELECT id, state, decline_code, processor_intent_id FROM billing.payment_attempts
       WHERE invoice_id = $1 ORDER BY created_at`,
      [id],
    )
    return rows
  }

  return {
    installation,
    tenant,
    pool,
    simulator,
    stripe,
    url,
    env,
    spawnInvoicer: (more = {}) =>
      startService({ name: 'invoicer', port, env: { ...env, ...more }, logDirectory }),
    async startInvoicer(more = {}) {
      const level = process.env.TEST_LOG_LEVEL ?? 'silent'
      const log = createLog({ service: 'invoicer', level, pretty: false })
      const config = readConfig(configSchema, { ...env, ...more })
      const fatal = (error: unknown) => console.error(error)
      return startComponents(await buildInvoicer(config, { log, clock: systemClock, fatal }))
    },
    async openInvoice(testMethod = 'pm_card_visa', totalMicros = 12_500_000n) {
      const { customer, processorCustomerId } = await insertCustomer(writer, testMethod)
      const id = await insertOpenInvoice(writer, customer, totalMicros)
      return { id, customer, processorCustomerId, totalMicros }
    },
    stateOf,
    attemptsOf,
    async toldOf({ id }) {
      const { rows } = await pool.query<{ type: string }>(
        "SELECT event->>'type' AS type FROM billing.outbox WHERE event->'data'->>'invoiceId' = $1 ORDER BY id",
        [id],
      )
      return rows.map(({ type }) => type)
    },
    async expectPaidOnce(invoice) {
      await expect.poll(() => stateOf(invoice), soon).toBe('paid')
      const attempts = await attemptsOf(invoice)
      expect(attempts.map(({ state }) => state)).toEqual(['succeeded'])
      const { data: intents } = await stripe.paymentIntents.list({ customer: invoice.processorCustomerId })
      expect(intents.map(({ id, status, amount_received }) => [id, status, amount_received])).toEqual([
        [attempts[0]?.processor_intent_id, 'succeeded', Number(invoice.totalMicros / 10_000n)],
      ])
    },
    script: (fault, more = {}) => simulator.control('POST', 'faults', { fault, ...more }, secretKey),
    async collect({ id }, headers = {}) {
      const response = await fetch(`${url}/v1/invoices/${id}/collect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tenant.key}`, ...headers },
      })
      return { status: response.status, body: await response.json() }
    },
    async close() {
      rmSync(logDirectory, { recursive: true })
      await simulator.stop()
      await installation.remove()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('no free port')
}
