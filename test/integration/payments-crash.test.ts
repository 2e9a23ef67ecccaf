import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPaymentsRoom, type PaymentsRoom, paidEvents, soon } from './payments-room.ts'

/** kill -9 of a real invoicer around the call: the next one finds out what became of the attempt. */
let room: PaymentsRoom

beforeAll(async () => {
  room = await openPaymentsRoom('paycrash')
})
afterAll(() => room?.close())

/** A processor that takes connections and says nothing: what is sent to it never arrives anywhere. */
async function startSilence() {
  const server = createServer((socket) => socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const { port }: Pick<AddressInfo, 'port'> =
    typeof address === 'object' && address !== null ? address : { port: 0 }
  return { url: `http://127.0.0.1:${port}`, reached: once(server, 'connection'), close: () => server.close() }
}

test('killed after the attempt was stored and before the processor got the call', async () => {
  const silence = await startSilence()
  const invoice = await room.openInvoice()
  const first = await room.spawnInvoicer({ STRIPE_API_URL: silence.url, INVOICER_PAYMENT_TIMEOUT_MS: '1000' })
  await silence.reached
  await first.stop('SIGKILL')
  expect(await room.attemptsOf(invoice)).toMatchObject([{ state: 'confirming' }])
  expect((await room.stripe.paymentIntents.list({ customer: invoice.processorCustomerId })).data).toEqual([])
  silence.close()

  const second = await room.spawnInvoicer()
  await room.expectPaidOnce(invoice)
  expect(await room.toldOf(invoice)).toEqual(paidEvents)
  await second.stop()
})

test('killed after the processor has executed and before the answer came', async () => {
  await room.script('slow_after', { match: { method: 'POST', path: '/v1/payment_intents' }, delayMs: 60_000 })
  await room.script('webhook_lost', { match: { event: 'payment_intent.succeeded' } })
  const invoice = await room.openInvoice()
  const first = await room.spawnInvoicer({ INVOICER_PAYMENT_TIMEOUT_MS: '1000' })
  const intents = () => room.stripe.paymentIntents.list({ customer: invoice.processorCustomerId })
  await expect
    .poll(async () => (await intents()).data.map(({ status }) => status), soon)
    .toEqual(['succeeded'])
  await first.stop('SIGKILL')
  expect(await room.stateOf(invoice)).toBe('open')

  const second = await room.spawnInvoicer({ INVOICER_PAYMENT_TIMEOUT_MS: '1000' })
  await room.expectPaidOnce(invoice)
  expect(await room.toldOf(invoice)).toEqual(paidEvents)
  await second.stop()
})

test('killed again and again while it collects', async () => {
  const invoices = await Promise.all(Array.from({ length: 40 }, () => room.openInvoice()))
  const countPaid = async () =>
    (await Promise.all(invoices.map(room.stateOf))).filter((state) => state === 'paid').length
  for (const paidBefore of [1, 8, 20]) {
    const process = await room.spawnInvoicer({ INVOICER_COLLECTION_CONCURRENCY: '4' })
    await expect.poll(countPaid, { ...soon, interval: 1 }).toBeGreaterThanOrEqual(paidBefore)
    await process.stop('SIGKILL')
  }
  const last = await room.spawnInvoicer()
  for (const invoice of invoices) {
    await room.expectPaidOnce(invoice)
    expect(await room.toldOf(invoice)).toEqual(paidEvents)
  }
  await last.stop()
})
