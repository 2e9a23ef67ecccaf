import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPaymentsRoom, type PaymentsRoom, paidEvents, soon, type TestInvoice } from './payments-room.ts'

/** What each answer of the processor makes of an invoice. */
let room: PaymentsRoom
let invoicer: { stop(): Promise<void> }

beforeAll(async () => {
  room = await openPaymentsRoom('payout')
  invoicer = await room.startInvoicer({ INVOICER_PAYMENT_ASK_EVERY_MS: '300' })
})
afterAll(async () => {
  await invoicer?.stop()
  await room?.close()
})

const attemptState = async (invoice: TestInvoice) => (await room.attemptsOf(invoice)).at(-1)?.state
const failedEvents = ['billing.payment.failed.v1', 'billing.invoice.past_due.v1']

/** The cardholder comes, enters the card and authenticates. */
async function authenticate(invoice: TestInvoice, outcome: 'succeeded' | 'failed') {
  const intent = (await room.attemptsOf(invoice))[0]?.processor_intent_id ?? ''
  await room.stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_authenticationRequired' })
  await settleIntent(intent, outcome)
}

async function settleIntent(intent: string, outcome: 'succeeded' | 'failed') {
  const answer = await fetch(`${room.simulator.url()}/_simulator/payment_intents/${intent}/settle`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${room.env.STRIPE_SECRET_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `outcome=${outcome}`,
  })
  expect(answer.status).toBe(200)
}

test.each([
  ['pm_card_chargeDeclined', 'generic_decline'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
])('a decline (%s) makes the invoice past due, with its reason', async (testMethod, code) => {
  const invoice = await room.openInvoice(testMethod)
  await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
  expect(await room.attemptsOf(invoice)).toMatchObject([{ state: 'failed', decline_code: code }])
  expect(await room.toldOf(invoice)).toEqual(failedEvents)
})

test('an amount below the least of the currency fails, and is not tried again', async () => {
  const invoice = await room.openInvoice('pm_card_visa', 10_000n)
  await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
  const code = 'processor_amount_too_small'
  expect(await room.attemptsOf(invoice)).toMatchObject([{ state: 'failed', decline_code: code }])
})

describe('authentication', () => {
  test('leaves the invoice open until the cardholder has come, then it is paid', async () => {
    const invoice = await room.openInvoice('pm_card_authenticationRequired')
    await expect.poll(() => attemptState(invoice), soon).toBe('requires_action')
    expect(await room.stateOf(invoice)).toBe('open')
    expect(await room.collect(invoice)).toMatchObject({
      status: 200,
      body: { invoice: { state: 'open' }, attempt: { state: 'requires_action' } },
    })
    await authenticate(invoice, 'succeeded')
    await room.expectPaidOnce(invoice)
    expect(await room.toldOf(invoice)).toEqual(['billing.payment.requires_action.v1', ...paidEvents])
  })

  test('that succeeds is learnt of although its webhook is lost', async () => {
    const invoice = await room.openInvoice('pm_card_authenticationRequired')
    await expect.poll(() => attemptState(invoice), soon).toBe('requires_action')
    await room.script('webhook_lost', { match: { event: 'payment_intent.succeeded' } })
    await authenticate(invoice, 'succeeded')
    await room.expectPaidOnce(invoice)
  })

  test('that fails makes the invoice past due', async () => {
    const invoice = await room.openInvoice('pm_card_authenticationRequired')
    await expect.poll(() => attemptState(invoice), soon).toBe('requires_action')
    await authenticate(invoice, 'failed')
    await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
    expect(await room.toldOf(invoice)).toEqual(['billing.payment.requires_action.v1', ...failedEvents])
  })
})

test.each(['succeeded', 'failed'] as const)('a bank debit is processing until it has %s', async (outcome) => {
  const invoice = await room.openInvoice('pm_usBankAccount_success')
  await expect.poll(() => attemptState(invoice), soon).toBe('processing')
  expect(await room.stateOf(invoice)).toBe('open')
  await settleIntent((await room.attemptsOf(invoice))[0]?.processor_intent_id ?? '', outcome)
  await expect.poll(() => room.stateOf(invoice), soon).toBe(outcome === 'succeeded' ? 'paid' : 'past_due')
})

describe('collecting by hand', () => {
  test('pays a past-due invoice with the customer’s new card', async () => {
    const invoice = await room.openInvoice('pm_card_chargeDeclined')
    await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
    const card = await room.stripe.paymentMethods.attach('pm_card_visa', {
      customer: invoice.processorCustomerId,
    })
    await room.pool.query('UPDATE billing.customers SET payment_method_id = $2 WHERE key = $1', [
      invoice.customer,
      card.id,
    ])
    // The collector may have taken the attempt before the call could: then the answer is that it is under way.
    const headers = { 'idempotency-key': randomUUID() }
    await expect
      .poll(() => room.collect(invoice, headers), soon)
      .toMatchObject({
        status: 200,
        body: {
          invoice: { state: 'paid' },
          attempt: { state: 'succeeded', amount: '12.50', currency: 'EUR' },
        },
      })
    expect(await room.attemptsOf(invoice)).toMatchObject([{ state: 'failed' }, { state: 'succeeded' }])
    expect(await room.toldOf(invoice)).toEqual([...failedEvents, ...paidEvents])
    expect(await room.collect(invoice)).toMatchObject({ status: 200, body: { invoice: { state: 'paid' } } })
  })

  test('with one idempotency key makes one attempt', async () => {
    const invoice = await room.openInvoice('pm_card_chargeDeclined')
    await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
    const headers = { 'idempotency-key': randomUUID() }
    const failed = { body: { attempt: { state: 'failed', declineCode: 'generic_decline' } } }
    // The collector may have taken the attempt before the call could: then the answer is that it is under way.
    await expect.poll(() => room.collect(invoice, headers), soon).toMatchObject(failed)
    expect(await room.collect(invoice, headers)).toMatchObject(failed)
    expect(await room.attemptsOf(invoice)).toHaveLength(2)
    await room.collect(invoice, { 'idempotency-key': randomUUID() })
    expect(await room.attemptsOf(invoice)).toHaveLength(3)
    const told = [...failedEvents, ...Array(2).fill(failedEvents[0])]
    await expect.poll(() => room.toldOf(invoice), soon).toEqual(told)
  })

  test('says what stands in the way', async () => {
    const invoice = await room.openInvoice('pm_card_chargeDeclined')
    await expect.poll(() => room.stateOf(invoice), soon).toBe('past_due')
    await room.pool.query('UPDATE billing.customers SET payment_method_id = NULL WHERE key = $1', [
      invoice.customer,
    ])
    expect(await room.collect(invoice)).toMatchObject({
      status: 409,
      body: { code: 'payment_method_missing' },
    })
    await room.pool.query("UPDATE billing.invoices SET state = 'void' WHERE id = $1", [invoice.id])
    expect(await room.collect(invoice)).toMatchObject({
      status: 409,
      body: { code: 'invoice_not_collectible' },
    })
    expect(await room.collect({ ...invoice, id: randomUUID() })).toMatchObject({
      status: 404,
      body: { code: 'invoice_unknown' },
    })
    expect(await room.collect(invoice, { 'idempotency-key': 'with blank' })).toMatchObject({ status: 400 })
    const reader = await room.installation.createTenant('reader', ['read'])
    const authorization = `Bearer ${reader.key}`
    expect(await room.collect(invoice, { authorization })).toMatchObject({ status: 403 })
  })

  test('shows another tenant nothing', async () => {
    const invoice = await room.openInvoice('pm_card_chargeDeclined')
    const stranger = await room.installation.createTenant('stranger')
    const authorization = `Bearer ${stranger.key}`
    expect(await room.collect(invoice, { authorization })).toMatchObject({ status: 404 })
  })
})
