import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { billingEventsTopic } from '@tidemark/schemas/topics.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Company, foundTestCompany } from './company.ts'

let company: Company

beforeAll(async () => {
  company = await foundTestCompany('e2e')
})

afterAll(async () => {
  await company?.stop()
})

const eventually = { timeout: 60_000, interval: 200 }

const event = (id: string, overrides: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'request',
  subject: company.subject,
  time: formatInstant(company.closed.start + 86_400_000_000),
  data: { route: '/' },
  ...overrides,
})

const batch = 'application/cloudevents-batch+json'

test('of a batch with one invalid event the others are accepted, and it is named', async () => {
  const body = [event('first'), event('invalid', { subject: '' }), event('second')]
  const answer = await company.call('ingest', '/v1/events', { body, contentType: batch })
  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({
    accepted: 2,
    rejected: 1,
    results: [{ index: 1, id: 'invalid', field: 'subject' }],
  })
})

test('the same event three times is counted once', async () => {
  await company.call('ingest', '/v1/events', { body: [event('thrice'), event('thrice')], contentType: batch })
  await company.call('ingest', '/v1/events', {
    body: event('thrice'),
    contentType: 'application/cloudevents+json',
  })
  // One exactly at the end of the month belongs to the next month only.
  await company.call('ingest', '/v1/events', {
    body: event('boundary', { time: formatInstant(company.closed.end) }),
  })
  const { start, end } = company.closed
  const query = `from=${formatInstant(start)}&to=${formatInstant(end)}`
  await vi.waitFor(async () => {
    const { body } = await company.call('aggregator', `/v1/meters/requests/usage?${query}`)
    expect(body.items).toMatchObject([{ value: '3', eventCount: 3 }])
  }, eventually)
})

test('the month closes into one invoice, with a certificate that recomputes to the same bytes', async () => {
  await vi.waitFor(async () => {
    const body = { until: formatInstant(company.closed.end), graceSeconds: 0 }
    const { status } = await company.call('invoicer', '/v1/periods/close', { body })
    expect(status).toBe(200)
  }, eventually)
  const { body } = await company.call('invoicer', '/v1/invoices')
  // 10.00 and three requests at 1.25.
  expect(body.items).toMatchObject([{ currency: 'USD', total: '13.75' }])
  const id = body.items[0]?.id
  expect((await company.call('invoicer', `/v1/invoices/${id}/verify`, { body: {} })).body).toMatchObject({
    verified: true,
  })
})

test('it is paid once, and the payment is announced on billing.events', async () => {
  await vi.waitFor(async () => {
    const { body } = await company.call('invoicer', '/v1/invoices')
    expect(body.items).toMatchObject([{ state: 'paid' }])
  }, eventually)
  const { env } = company
  const state = await fetch(`${env.STRIPE_API_URL}/_simulator/state`, {
    headers: { authorization: `Bearer ${env.STRIPE_SECRET_KEY}` },
  })
  expect(JSON.stringify(await state.json())).toContain('"succeeded":1')
  await vi.waitFor(
    () =>
      expect(announced).toEqual(
        expect.arrayContaining(['billing.invoice.opened.v1', 'billing.invoice.paid.v1']),
      ),
    eventually,
  )
})

test('closing again makes no second invoice', async () => {
  const body = { until: formatInstant(company.closed.end), graceSeconds: 0 }
  await company.call('invoicer', '/v1/periods/close', { body })
  expect((await company.call('invoicer', '/v1/invoices')).body.items).toHaveLength(1)
})

test('another tenant’s key sees nothing of it', async () => {
  const { key } = await company.installation.createTenant('other')
  expect(
    (
      await company.call(
        'aggregator',
        '/v1/meters/requests/usage?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z',
        { key },
      )
    ).status,
  ).toBe(404)
  expect((await company.call('invoicer', '/v1/invoices', { key })).body.items).toEqual([])
  expect((await company.call('reconciler', '/v1/reconciliation/summary', { key })).body).toMatchObject({
    judged: 0,
    waiting: 0,
  })
})

const announced: string[] = []
let stopListening: (() => Promise<void>) | undefined

beforeAll(async () => {
  const { env, installation } = company
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const kafka = createKafka({ brokers: [env.KAFKA_BROKERS ?? ''], clientId: 'listener', log })
  const consumer = createConsumer(kafka, {
    groupId: `${installation.prefix}listener`,
    topics: [installation.prefix + billingEventsTopic],
    handleBatch: async (_topic, _partition, records) => {
      for (const record of records) announced.push(JSON.parse(String(record.value)).type)
    },
    onFatal: (error) => {
      throw error
    },
  })
  await consumer.start()
  stopListening = async () => {
    await consumer.stop()
    await kafka.disconnect()
  }
})

afterAll(() => stopListening?.())
