import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { caseOf, type GoldenCase, meterKeys } from './golden-cases.ts'
import { vectors } from './golden-vectors.ts'
import { at } from './usage-log.ts'

// Vectors the long way: a catalogue, real events and a close; what is stored has to be what the vector says.

type StoredLine = { kind: string; price: string } & Record<
  'amount' | 'discount' | 'net' | 'tax' | 'cap',
  string
>
type StoredInvoice = Record<'discount' | 'net' | 'tax' | 'total', string> & {
  id: string
  lines: StoredLine[]
}

const cases = vectors.flatMap((vector, index) => caseOf(vector, index) ?? [])
const invoices = new Map<string, StoredInvoice>()
let room: CloseRoom
let tenant: TestTenant

beforeAll(async () => {
  room = await openCloseRoom('golden')
  tenant = await room.installation.createTenant('golden')
  const meters = meterKeys(cases).map((key) => ({
    key,
    eventType: key,
    aggregation: 'sum' as const,
    valuePath: 'value',
    dimensions: { region: 'region', tier: 'tier' },
  }))
  await room.createMeters('golden', meters)
  await room.call(tenant, 'PUT', '/v1/tax/rates', { rates: cases.flatMap(({ rates }) => rates) })
  await room.apply(tenant, {
    plans: cases.flatMap(({ plans }) => plans),
    coupons: cases.flatMap(({ coupons }) => coupons),
    customers: cases.map(({ key, vector }) => ({
      key,
      name: vector.id,
      email: 'golden@example.com',
      currency: vector.currency,
      timeZone: 'UTC',
      subjects: [{ key }],
    })),
    subscriptions: cases.map(({ subscription }) => subscription),
  })
  await together(cases, async ({ key, requests }) => {
    for (const [operation, body] of requests) {
      const answer = await room.call(tenant, 'POST', `/v1/subscriptions/${key}/${operation}`, body)
      if (answer.status !== 200) throw new Error(`${key} ${operation}: ${JSON.stringify(answer.body)}`)
    }
  })
  for (const { key, events } of cases)
    for (const [index, { meter, value, properties }] of events.entries())
      room.log.append({
        tenant: 'golden',
        type: meter,
        subject: key,
        time: at('2026-10-05T00:00:00Z') + index,
        data: { value, ...properties },
      })
  await room.completeUsage(at('2026-11-01T02:00:00Z'), [tenant])
  const closed = await room.call(tenant, 'POST', '/v1/periods/close', { until: '2026-11-01T01:00:00Z' })
  if (closed.status !== 200 || Object(closed.body.refused).length > 0)
    throw new Error(JSON.stringify(closed.body.refused ?? closed.body))
  await together(cases, async (each) => {
    const { body } = await room.call(tenant, 'GET', `/v1/invoices?customer=${each.key}`)
    const start = Object(body.items).toSorted(inTime)[isInAdvance(each) ? 1 : 0]
    const { body: invoice } = await room.call(tenant, 'GET', `/v1/invoices/${start.id}`)
    invoices.set(each.key, Object(invoice))
  })
}, 120_000)
afterAll(() => room?.close())

/** Some at a time, each in its own order. */
async function together<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values()
  const work = async () => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: 6 }, work))
}

/** Where fees are asked for in advance the invoice of the start comes first. */
const isInAdvance = ({ vector: { kind, from = [] } }: GoldenCase): boolean =>
  kind === 'plan-change' && from.length > 0

const inTime = (a: { period: { start: string }; number: string }, b: typeof a): number =>
  a.period.start < b.period.start ? -1 : a.period.start > b.period.start ? 1 : a.number < b.number ? -1 : 1

const invoiceOf = ({ key }: GoldenCase): StoredInvoice => {
  const found = invoices.get(key)
  if (!found) throw new Error(`no invoice of ${key}`)
  return found
}

const plain = (text: unknown) => formatDecimal(decimal(String(text)))
const sum = (texts: readonly string[]) =>
  texts.reduce((total, text) => total + Math.round(Number(text) * 1e6), 0) / 1e6

const ofKind = (kind: string) => cases.filter(({ vector }) => vector.kind === kind)

test('most vectors of prices, prorations, changes and invoices are lived', () => {
  const counts = ['price', 'proration', 'plan-change', 'invoice'].map((kind) => ofKind(kind).length)
  expect(counts).toEqual([108, 9, 12, 39])
})

describe('price', () => {
  test.each(ofKind('price'))('$vector.id', (each) => {
    const { amount } = invoiceOf(each).lines[0] ?? {}
    expect(plain(amount)).toBe(plain(each.vector.expected.amount))
  })
})

describe('proration', () => {
  test.each(ofKind('proration'))('$vector.id', (each) => {
    const { lines } = invoiceOf(each)
    expect(String(sum(lines.map(({ amount }) => amount)))).toBe(plain(each.vector.expected.amount))
  })
})

describe('plan-change', () => {
  test.each(ofKind('plan-change'))('$vector.id', (each) => {
    const changed = invoiceOf(each).lines.filter(({ kind }) => kind === 'credit' || kind === 'charge')
    const { lines, net } = each.vector.expected
    if (lines)
      expect(changed.map(({ kind, price, amount }) => [kind, price, plain(amount)])).toEqual(
        lines.map(({ kind, item, amount }) => [kind, item, plain(amount)]),
      )
    expect(String(sum(changed.map(({ amount }) => amount)))).toBe(plain(net))
  })
})

describe('invoice', () => {
  test.each(ofKind('invoice'))('$vector.id', async (each) => {
    const invoice = invoiceOf(each)
    const { lines = [], trueUp, capAdjustment, linesTotal, ...expected } = each.vector.expected
    const totals = { discountTotal: 'discount', netTotal: 'net', taxTotal: 'tax', total: 'total' } as const
    for (const [field, column] of Object.entries(totals))
      if (field in expected) expect(plain(Object(invoice)[column]), field).toBe(plain(expected[field]))
    for (const { id, ...fields } of lines) {
      const line = Object(invoice.lines.find(({ price }) => price === id))
      for (const [field, value] of Object.entries(fields))
        expect(plain(line[field]), `${id} ${field}`).toBe(plain(value))
    }
    const committed = invoice.lines.find(({ kind }) => kind === 'true-up')?.amount ?? '0'
    if (trueUp !== undefined) expect(plain(committed)).toBe(plain(trueUp))
    const cap = String(sum(invoice.lines.map((line) => line.cap)))
    if (capAdjustment !== undefined) expect(cap).toBe(plain(capAdjustment))
    const amounts = invoice.lines.flatMap((line) => [line.amount, line.cap])
    if (linesTotal !== undefined) expect(String(sum(amounts))).toBe(plain(linesTotal))
  })
})

test('each of these invoices verifies from the raw events', async () => {
  await together([...invoices], async ([key, { id }]) => {
    const { body } = await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)
    expect(body, key).toMatchObject({ verified: true })
  })
}, 60_000)
