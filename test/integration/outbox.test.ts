import { randomUUID } from 'node:crypto'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { recordChanges } from '@tidemark/invoicer/history.ts'
import { invoiceEvent } from '@tidemark/invoicer/invoices/event.ts'
import { billingEventsTopic } from '@tidemark/schemas/topics.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPaymentsRoom, type PaymentsRoom, soon } from './payments-room.ts'

/** Every change that was committed reaches billing.events, in order per customer, whatever kills the relay. */
let room: PaymentsRoom
let kafka: KafkaClient

beforeAll(async () => {
  room = await openPaymentsRoom('outbox')
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  kafka = createKafka({ brokers: (room.env.KAFKA_BROKERS ?? '').split(','), clientId: 'outbox-test', log })
})
afterAll(async () => {
  await kafka?.disconnect()
  await room?.close()
})

const customers = Array.from({ length: 7 }, (_, index) => `customer-${index}`)

/** One event of each customer per step, each in a transaction of the size that a close may have. */
async function tell(steps: number, first: number): Promise<void> {
  for (let step = first; step < first + steps; step += 1) {
    const at = Date.now() * 1_000
    const changes = customers.map((customer) => {
      const invoice = {
        id: randomUUID(),
        tenant: room.tenant.tenant,
        number: String(step),
        customer,
        subscription: customer,
        periodStart: '2026-10-01T00:00:00.000000Z',
        periodEnd: '2026-11-01T00:00:00.000000Z',
        currency: 'EUR' as const,
        discountMicros: 0n,
        netMicros: 1_000_000n,
        taxMicros: 0n,
        totalMicros: 1_000_000n,
        amountDueMicros: 1_000_000n,
        state: 'open' as const,
        issuedOn: '2026-11-01',
        openedAt: null,
        paidAt: null,
      }
      const { id: entityKey, tenant } = invoice
      const event = invoiceEvent('billing.invoice.opened.v1', invoice, at)
      return { tenant, actor: 'test', action: 'invoice.open', entity: 'invoice', entityKey, event }
    })
    await recordChanges(room.pool, changes, at)
  }
}

async function countUnpublished(): Promise<bigint | undefined> {
  const { rows } = await room.pool.query<{ count: bigint }>(
    'SELECT count(*) AS count FROM billing.outbox WHERE published_at IS NULL',
  )
  return rows[0]?.count
}

type Told = { id: string; key: string; partition: number; step: number }

async function readTopic(until: (told: Told[]) => boolean): Promise<Told[]> {
  const told: Told[] = []
  const consumer = createConsumer(kafka, {
    groupId: `${room.installation.prefix}reader-${randomUUID()}`,
    topics: [room.installation.prefix + billingEventsTopic],
    async handleBatch(_topic, partition, records) {
      for (const { key, value } of records) {
        const event = JSON.parse(value?.toString() ?? '')
        told.push({ id: event.id, key: key?.toString() ?? '', partition, step: Number(event.subject) })
      }
    },
    onFatal: (error) => console.error(error),
  })
  await consumer.start()
  await expect.poll(() => until(told), soon).toBe(true)
  await consumer.stop()
  return told
}

test('kill -9 while relaying, two relays at once: nothing is lost or out of order, repeats have the same id', async () => {
  const steps = 400
  await tell(steps, 0)
  for (let kill = 0; kill < 3; kill += 1) {
    const before = (await countUnpublished()) ?? 0n
    const relay = await room.spawnInvoicer()
    await expect.poll(countUnpublished, { ...soon, interval: 1 }).toBeLessThan(before)
    await relay.stop('SIGKILL')
    await tell(100, steps + 100 * kill)
  }
  const all = steps + 300
  const relay = await room.spawnInvoicer()
  const other = await room.startInvoicer({ INVOICER_PORT: '0' })
  await expect.poll(countUnpublished, soon).toBe(0n)
  await other.stop()
  await relay.stop()

  const told = await readTopic((sofar) => new Set(sofar.map(({ id }) => id)).size === all * customers.length)
  for (const customer of customers) {
    const own = told.filter(({ key }) => key === `${room.tenant.tenant}/${customer}`)
    expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
    const seen = new Set<string>()
    const firsts = own.filter(({ id }) => !seen.has(id) && seen.add(id)).map(({ step }) => step)
    expect(firsts).toEqual(Array.from({ length: all }, (_, step) => step))
  }
})

test('killed between the acknowledgement and the mark: the same events come again, under the same ids', async () => {
  const first = 10_000
  const mine = (told: Told[]) => told.filter(({ step }) => step >= first)
  await room.pool.withConnection(async (connection) => {
    await tell(5, first)
    // Whoever marks these rows waits for us.
    await connection.query('BEGIN')
    await connection.query('SELECT FROM billing.outbox WHERE published_at IS NULL FOR UPDATE')
    const relay = await room.spawnInvoicer()
    await readTopic((told) => mine(told).length === 5 * customers.length)
    await relay.stop('SIGKILL')
    // PostgreSQL would still do what the dead process asked for.
    await endSessionsOfInvoicers()
    await connection.query('ROLLBACK')
  })
  expect(await countUnpublished()).toBe(BigInt(5 * customers.length))
  const relay = await room.spawnInvoicer()
  await expect.poll(countUnpublished, soon).toBe(0n)
  await relay.stop()
  const told = mine(await readTopic((sofar) => mine(sofar).length === 2 * 5 * customers.length))
  const copies = [...Map.groupBy(told, ({ id }) => id).values()]
  expect(copies.map(({ length }) => length)).toEqual(Array(5 * customers.length).fill(2))
})

async function endSessionsOfInvoicers(): Promise<void> {
  await room.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'tidemark-invoicer'`,
  )
}

test('the lag is on /metrics', async () => {
  const invoicer = await room.startInvoicer()
  const metrics = await (await fetch(`${room.url}/metrics`)).text()
  expect(metrics).toMatch(/tidemark_outbox_lag_seconds\{service="invoicer"\} \d/)
  await invoicer.stop()
})
