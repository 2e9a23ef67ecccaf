import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPaymentsRoom, type PaymentsRoom, paidEvents, soon, type TestInvoice } from './payments-room.ts'
import { deliver, eventBody, failed, processing, succeeded } from './signed-webhook.ts'

/** Webhooks alone: nobody else learns what became of these attempts. */
let room: PaymentsRoom
let invoicer: { stop(): Promise<void> }

beforeAll(async () => {
  room = await openPaymentsRoom('hooks')
  invoicer = await room.startInvoicer({ INVOICER_COLLECTION_ENABLED: 'false' })
})
afterAll(async () => {
  await invoicer?.stop()
  await room?.close()
})

/** An open invoice whose attempt was sent and never answered, and is not asked about for a day. */
async function sentAttempt(state = 'unknown'): Promise<{ invoice: TestInvoice; attemptId: string }> {
  const invoice = await room.openInvoice()
  const attemptId = randomUUID()
  await room.pool.query(
    `INSERT INTO billing.payment_attempts (id, tenant, invoice_id, state, amount_micros, currency,
       processor_customer_id, payment_method_id, created_at, updated_at, next_try_at)
     VALUES ($1, $2, $3, $4, $5, 'EUR', 'cus_1', 'pm_1', now(), now(), now() + interval '1 day')`,
    [attemptId, room.tenant.tenant, invoice.id, state, invoice.totalMicros],
  )
  return { invoice, attemptId }
}

async function storedEvents(bodies: string[]) {
  const ids = bodies.map((body): string => JSON.parse(body).id)
  const { rows } = await room.pool.query<{ processed: boolean; note: string | null }>(
    'SELECT processed_at IS NOT NULL AS processed, note FROM billing.webhook_events WHERE id = ANY ($1)',
    [ids],
  )
  return rows
}

const attemptState = async (invoice: TestInvoice) => (await room.attemptsOf(invoice))[0]?.state

describe('what is not genuine is refused and stored nowhere', () => {
  const invalid = 'webhook_signature_invalid'
  const outside = 'webhook_timestamp_outside_tolerance'
  test.each([
    ['signed with another secret', { secret: 'whsec_other' }, invalid],
    ['without a signature', { header: undefined }, invalid],
    ['with a signature of something else', { header: 't=1,v1=00' }, invalid],
    ['signed 310 s ago', { offSeconds: -310 }, outside],
    ['signed 310 s ahead', { offSeconds: 310 }, outside],
  ])('%s', async (_name, how, code) => {
    const { invoice, attemptId } = await sentAttempt()
    const body = succeeded(attemptId)
    expect(await deliver(room.url, body, how)).toMatchObject({ status: 400, body: { code } })
    expect(await storedEvents([body])).toEqual([])
    expect(await room.stateOf(invoice)).toBe('open')
  })

  test('but 290 s either way are a clock that is off', async () => {
    for (const offSeconds of [-290, 290]) {
      const { invoice, attemptId } = await sentAttempt()
      expect(await deliver(room.url, succeeded(attemptId), { offSeconds })).toMatchObject({ status: 200 })
      expect(await room.stateOf(invoice)).toBe('paid')
    }
  })
})

test('a success settles an attempt that nobody knew the outcome of; delivered thrice it is told once', async () => {
  const { invoice, attemptId } = await sentAttempt()
  const body = succeeded(attemptId)
  const answers = await Promise.all([1, 2, 3].map(() => deliver(room.url, body)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  await expect.poll(() => room.stateOf(invoice), soon).toBe('paid')
  expect(await room.attemptsOf(invoice)).toMatchObject([
    { state: 'succeeded', processor_intent_id: `pi_${attemptId}` },
  ])
  expect(await storedEvents([body])).toEqual([{ processed: true, note: null }])
  expect(await room.toldOf(invoice)).toEqual(paidEvents)
})

test('a failure makes the invoice past due; money that comes after it is a person’s business', async () => {
  const { invoice, attemptId } = await sentAttempt()
  await deliver(room.url, failed(attemptId))
  expect(await room.stateOf(invoice)).toBe('past_due')
  const late = succeeded(attemptId)
  expect(await deliver(room.url, late)).toMatchObject({ status: 200 })
  expect(await attemptState(invoice)).toBe('failed')
  expect(await storedEvents([late])).toEqual([
    { processed: true, note: 'Money was captured that no invoice awaits.' },
  ])
})

const tellers = {
  processing,
  authentication: (attemptId: string) => failed(attemptId, 'authentication_required'),
  succeeded: (attemptId: string) => succeeded(attemptId),
}
type Teller = keyof typeof tellers

test.each<[Teller, Teller, Teller]>([
  ['processing', 'authentication', 'succeeded'],
  ['authentication', 'processing', 'succeeded'],
  ['processing', 'succeeded', 'authentication'],
  ['authentication', 'succeeded', 'processing'],
  ['succeeded', 'processing', 'authentication'],
  ['succeeded', 'authentication', 'processing'],
])('%s, %s, %s: in any order the invoice is paid, once', async (...order) => {
  const { invoice, attemptId } = await sentAttempt()
  for (const teller of order)
    expect(await deliver(room.url, tellers[teller](attemptId))).toMatchObject({ status: 200 })
  expect(await attemptState(invoice)).toBe('succeeded')
  expect(await room.stateOf(invoice)).toBe('paid')
  expect((await room.toldOf(invoice)).filter((type) => paidEvents.includes(type))).toEqual(paidEvents)
})

test('all at once end paid as well', async () => {
  const { invoice, attemptId } = await sentAttempt('confirming')
  const bodies = [processing, tellers.authentication, succeeded, processing].map((tell) => tell(attemptId))
  await Promise.all(bodies.map((body) => deliver(room.url, body)))
  await expect.poll(() => room.stateOf(invoice), soon).toBe('paid')
  expect(await attemptState(invoice)).toBe('succeeded')
})

test('a failure that comes late never takes a payment back', async () => {
  const { invoice, attemptId } = await sentAttempt()
  const late = failed(attemptId)
  await deliver(room.url, succeeded(attemptId))
  expect(await deliver(room.url, late)).toMatchObject({ status: 200 })
  expect(await room.stateOf(invoice)).toBe('paid')
  expect(await storedEvents([late])).toEqual([
    { processed: true, note: 'The attempt is succeeded: nothing to change.' },
  ])
  expect(await room.toldOf(invoice)).toEqual(paidEvents)
})

test('what is not about an attempt of ours is kept with a note and changes nothing', async () => {
  const unknown = randomUUID()
  const bodies = [
    succeeded(unknown),
    succeeded('order-7'),
    eventBody({ type: 'payment_intent.created', attemptId: unknown, status: 'requires_confirmation' }),
  ]
  for (const body of bodies) expect(await deliver(room.url, body)).toMatchObject({ status: 200 })
  const notes = (await storedEvents(bodies)).map(({ note }) => note).toSorted()
  const nothing = 'It tells no outcome of an attempt.'
  expect(notes).toEqual([nothing, nothing, `There is no attempt ${unknown}.`])
})

test('another amount than asked for is no payment', async () => {
  const { invoice, attemptId } = await sentAttempt()
  const body = succeeded(attemptId, 1_249)
  expect(await deliver(room.url, body)).toMatchObject({ status: 200 })
  expect(await room.stateOf(invoice)).toBe('open')
  expect(await storedEvents([body])).toEqual([{ processed: false, note: null }])
})

test('an event that was stored and not processed before a crash is processed by the loop', async () => {
  const { invoice, attemptId } = await sentAttempt()
  const word = {
    attemptId,
    status: 'succeeded',
    intentId: `pi_${attemptId}`,
    capturedMinor: '1250',
    currency: 'EUR',
  }
  await room.pool.query(
    `INSERT INTO billing.webhook_events (id, type, payload, received_at, next_try_at)
     VALUES ($1, 'payment_intent.succeeded', $2, now(), now())`,
    [`evt_${attemptId}`, JSON.stringify(word)],
  )
  await expect.poll(() => room.stateOf(invoice), soon).toBe('paid')
})
