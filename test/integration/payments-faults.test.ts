import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPaymentsRoom, type PaymentsRoom, paidEvents, soon } from './payments-room.ts'

/** Whatever happens between the invoicer and the processor: one captured payment, and an invoice that is paid. */
let room: PaymentsRoom
let invoicer: { stop(): Promise<void> }

beforeAll(async () => {
  room = await openPaymentsRoom('pay')
  invoicer = await room.startInvoicer()
})
afterAll(async () => {
  await invoicer?.stop()
  await room?.close()
})

const onCharge = { match: { method: 'POST', path: '/v1/payment_intents' } }

describe('an open invoice is paid once', () => {
  test.each(['reset_before', 'reset_after', 'error_500_after', 'rate_limit', 'slow', 'slow_after'])(
    'although the charge meets %s',
    async (fault) => {
      await room.script(fault, { ...onCharge, delayMs: 1_200 })
      const invoice = await room.openInvoice()
      await room.expectPaidOnce(invoice)
      expect(await room.toldOf(invoice)).toEqual(paidEvents)
    },
  )

  test.each(['webhook_duplicated', 'webhook_reordered', 'webhook_lost'])('although %s', async (fault) => {
    await room.script(fault, { match: { event: 'payment_intent.succeeded' }, delayMs: 200 })
    const invoice = await room.openInvoice()
    await room.expectPaidOnce(invoice)
    expect(await room.toldOf(invoice)).toEqual(paidEvents)
  })

  test('although the answer and the webhook are both lost', async () => {
    await room.script('reset_after', onCharge)
    await room.script('webhook_lost', { match: { event: 'payment_intent.succeeded' } })
    const invoice = await room.openInvoice()
    await room.expectPaidOnce(invoice)
  })

  test('although charge and question fail several times in a row', async () => {
    for (const fault of ['reset_before', 'rate_limit', 'reset_after']) await room.script(fault, onCharge)
    await room.script('reset_before', { match: { method: 'GET' }, times: 2 })
    await room.script('error_500_after', { match: { method: 'GET' } })
    const invoice = await room.openInvoice()
    await room.expectPaidOnce(invoice)
    expect(await room.toldOf(invoice)).toEqual(paidEvents)
  })

  test('by several at once, each of its own', async () => {
    const invoices = await Promise.all(Array.from({ length: 20 }, () => room.openInvoice()))
    for (const invoice of invoices) await room.expectPaidOnce(invoice)
  })

  test('although two invoicers and a person collect it at the same time', async () => {
    const other = await room.startInvoicer({ INVOICER_PORT: '0' })
    try {
      const invoices = await Promise.all(Array.from({ length: 20 }, () => room.openInvoice()))
      const answers = await Promise.all(invoices.map((invoice) => room.collect(invoice)))
      for (const { status } of answers) expect([200, 409]).toContain(status)
      for (const invoice of invoices) {
        await room.expectPaidOnce(invoice)
        expect(await room.toldOf(invoice)).toEqual(paidEvents)
      }
    } finally {
      await other.stop()
    }
  })
})

test('a new card between two sends of one attempt does not change what is sent', async () => {
  await invoicer.stop()
  const invoice = await room.openInvoice()
  await room.script('reset_before', onCharge)
  invoicer = await room.startInvoicer({ INVOICER_PAYMENT_RETRY_MIN_MS: '500' })
  await expect.poll(async () => (await room.attemptsOf(invoice))[0]?.state, soon).toBe('unknown')
  await room.pool.query("UPDATE billing.customers SET payment_method_id = 'pm_none' WHERE key = $1", [
    invoice.customer,
  ])
  await room.expectPaidOnce(invoice)
})

test('a key that the processor refuses makes no customer past due', async () => {
  await invoicer.stop()
  const invoice = await room.openInvoice()
  const misled = await room.startInvoicer({ STRIPE_SECRET_KEY: 'sk_live_of_nobody' })
  const countTries = async () => {
    const metrics = await (await fetch(`${room.url}/metrics`)).text()
    return Number(
      /tidemark_payment_failures_total\{code="processor_unauthorized".*\} (\d+)/.exec(metrics)?.[1],
    )
  }
  await expect.poll(countTries, soon).toBeGreaterThan(2)
  await misled.stop()
  expect(await room.stateOf(invoice)).toBe('open')
  invoicer = await room.startInvoicer()
  await room.expectPaidOnce(invoice)
})

test('the key of another account, which finds no customer there, does not end what may have been captured', async () => {
  await invoicer.stop()
  await room.script('reset_after', onCharge)
  await room.script('webhook_lost', { match: { event: 'payment_intent.succeeded' } })
  const slow = { INVOICER_PAYMENT_RETRY_MIN_MS: '60000', INVOICER_PAYMENT_RETRY_MAX_MS: '60000' }
  const first = await room.startInvoicer(slow)
  const invoice = await room.openInvoice()
  await expect.poll(async () => (await room.attemptsOf(invoice))[0]?.state, soon).toBe('unknown')
  await first.stop()
  await room.pool.query('UPDATE billing.payment_attempts SET next_try_at = now() WHERE invoice_id = $1', [
    invoice.id,
  ])
  const misled = await room.startInvoicer({ STRIPE_SECRET_KEY: 'sk_test_ofanotheraccount' })
  const countTries = async () => {
    const { rows } = await room.pool.query<{ tries: number }>(
      'SELECT tries FROM billing.payment_attempts WHERE invoice_id = $1',
      [invoice.id],
    )
    return rows[0]?.tries
  }
  await expect.poll(countTries, soon).toBeGreaterThan(2)
  await misled.stop()
  expect(await room.stateOf(invoice)).toBe('open')
  invoicer = await room.startInvoicer()
  await room.expectPaidOnce(invoice)
})
