import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { company, freePlan, meters } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom

beforeAll(async () => {
  room = await openCloseRoom('close')
})
afterAll(() => room?.close())

const endOfOctober = at('2026-11-01T00:00:00Z')
const later = at('2026-11-01T02:00:00Z')

async function foundTenant(name: string) {
  const tenant = await room.installation.createTenant(name)
  await room.createMeters(tenant.tenant, meters)
  return tenant
}

const call = (tenant: string, subject: string, time: string, status = 'ok') =>
  room.log.append({ tenant, type: 'api.request', subject, time: at(time), data: { status } })
const transfer = (tenant: string, subject: string, time: string, gb: string | number) =>
  room.log.append({ tenant, type: 'transfer.finished', subject, time: at(time), data: { gb } })

const countWaiting = async () => {
  const { rows } = await room.pool.query<{ count: bigint }>(
    "SELECT count(*) AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
  )
  return rows[0]?.count
}

const until = { until: '2026-11-01T01:00:00Z' }

describe('a month', () => {
  test('becomes invoices with numbers, lines, certificates and events; closing again changes nothing', async () => {
    const tenant = await foundTenant('acme')
    await room.apply(tenant, company(2))
    const subject = 'c1-subject'
    call('acme', subject, '2026-10-01T00:00:00Z')
    call('acme', subject, '2026-10-31T23:59:59.999999Z')
    call('acme', subject, '2026-10-15T12:00:00Z', 'error')
    call('acme', subject, '2026-11-01T00:00:00Z')
    call('acme', 'nobody', '2026-10-15T12:00:00Z')
    transfer('acme', subject, '2026-10-03T07:00:00Z', '10.5')
    transfer('acme', subject, '2026-10-03T07:00:00Z', 1.2)
    await room.completeUsage(later, [tenant])

    const first = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(first).toMatchObject({ status: 200, body: { closed: 2, alreadyClosed: 0, refused: [] } })
    const { body: list } = await room.call(tenant, 'GET', '/v1/invoices?customer=c1')
    // 20.00 + 2 × 0.015 + (11.7 − 10) × 0.25 + 1.00
    expect(list.items).toMatchObject([
      {
        number: 'ACME-000001',
        total: '21.46',
        state: 'open',
        period: { start: '2026-10-01T00:00:00.000000Z', end: '2026-11-01T00:00:00.000000Z' },
      },
    ])
    const [{ id }] = Object(list.items)
    const { body: invoice } = await room.call(tenant, 'GET', `/v1/invoices/${id}`)
    expect(invoice.lines).toMatchObject([
      { price: 'base', amount: '20.00', quantity: null, description: 'Base fee' },
      { price: 'calls', amount: '0.03', quantity: '2', meter: 'calls', meterVersion: 1 },
      { price: 'transfer', amount: '1.43', quantity: '11.7' },
    ])
    const second = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(second.body).toEqual({ ...first.body, closed: 0, alreadyClosed: 2 })

    const { rows } = await room.pool.query<{ key: string; event: { type: string; data: unknown } }>(
      "SELECT key, event FROM billing.outbox WHERE tenant = 'acme' AND event->>'type' LIKE 'billing.invoice.%' ORDER BY id",
    )
    expect(rows).toMatchObject([
      {
        key: 'acme/c1',
        event: { type: 'billing.invoice.opened.v1', data: { total: '21.46', state: 'open' } },
      },
      { key: 'acme/c2', event: { type: 'billing.invoice.opened.v1', data: { total: '20.00' } } },
    ])
  })

  test('of nothing to pay opens as paid', async () => {
    const tenant = await foundTenant('zero')
    const catalogue = company(1)
    const subscriptions = catalogue.subscriptions?.map((each) => ({ ...each, plan: freePlan.id })) ?? []
    await room.apply(tenant, { ...catalogue, subscriptions })
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body.invoices).toMatchObject([{ total: '0.00', state: 'paid' }])
    const { rows } = await room.pool.query(
      "SELECT event->>'type' AS type FROM billing.outbox WHERE tenant = 'zero' AND event->>'type' LIKE 'billing.invoice.%' ORDER BY id",
    )
    expect(rows).toEqual([{ type: 'billing.invoice.opened.v1' }, { type: 'billing.invoice.paid.v1' }])
  })

  test('that was missed closes with all others, in order, in zones that cut an hour', async () => {
    const tenant = await foundTenant('kolkata')
    const started = { timeZone: 'Asia/Kolkata', start: '2026-07-31T18:30:00Z' }
    await room.apply(tenant, company(1, started))
    call('kolkata', 'c1-subject', '2026-09-30T18:29:59.999999Z')
    call('kolkata', 'c1-subject', '2026-09-30T18:30:00Z')
    call('kolkata', 'c1-subject', '2026-09-30T18:30:01Z')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body).toMatchObject({ closed: 3, alreadyClosed: 0 })
    const { body: list } = await room.call(tenant, 'GET', '/v1/invoices')
    const totals = Object.fromEntries(
      Object(list.items).map(({ period, total }: { period: { start: string }; total: string }) => [
        period.start,
        total,
      ]),
    )
    expect(totals).toEqual({
      '2026-07-31T18:30:00.000000Z': '20.00',
      '2026-08-31T18:30:00.000000Z': '20.02',
      '2026-09-30T18:30:00.000000Z': '20.03',
    })
  })

  test('of a subject that changes hands is split at the instant', async () => {
    const tenant = await foundTenant('hands')
    const catalogue = company(2)
    const [first, second] = catalogue.customers ?? []
    if (!first || !second) throw new Error('two customers')
    const from = '2026-10-10T10:20:30Z'
    first.subjects = [{ key: 'moved', to: from }]
    second.subjects = [{ key: 'moved', from }, { key: 'own' }]
    await room.apply(tenant, catalogue)
    for (const time of ['2026-10-01T00:00:00Z', '2026-10-10T10:20:29.999999Z']) call('hands', 'moved', time)
    for (const time of ['2026-10-10T10:20:30Z', '2026-10-20T00:00:00Z', '2026-10-21T00:00:00Z'])
      call('hands', 'moved', time)
    call('hands', 'own', '2026-10-02T00:00:00Z')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body.invoices).toMatchObject([{ total: '20.03' }, { total: '20.06' }])
    for (const { id } of Object(body.invoices))
      expect((await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body).toMatchObject({
        verified: true,
      })
  })

  test('with a value that nobody can read stays open, and the others close', async () => {
    const tenant = await foundTenant('unread')
    await room.apply(tenant, company(2))
    transfer('unread', 'c1-subject', '2026-10-03T07:00:00Z', 'many')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', until)
    expect(body).toMatchObject({
      closed: 1,
      invoices: [{ customer: 'c2', number: 'UNREAD-000001' }],
      refused: [{ subscription: 'c1-sub', code: 'unreadable_usage' }],
    })
  })
})

describe('a close', () => {
  test('as a dry run answers the same totals and stores nothing', async () => {
    const tenant = await foundTenant('dry')
    await room.apply(tenant, company(1))
    call('dry', 'c1-subject', '2026-10-02T00:00:00Z')
    await room.completeUsage(later, [tenant])
    const { body } = await room.call(tenant, 'POST', '/v1/periods/close', { ...until, dryRun: true })
    expect(body).toMatchObject({ closed: 0, invoices: [], drafts: [{ total: '20.02' }] })
    const { body: list } = await room.call(tenant, 'GET', '/v1/invoices')
    expect(list).toEqual({ items: [], nextCursor: null })
  })

  test('done by two at once opens each invoice once, with numbers without gaps', async () => {
    const tenant = await foundTenant('twice')
    await room.apply(tenant, company(60))
    await room.completeUsage(later, [tenant])
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => room.call(tenant, 'POST', '/v1/periods/close', until)),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(answers.reduce((sum, { body }) => sum + Number(body.closed), 0)).toBe(60)
    const { rows } = await room.pool.query<{ number: bigint }>(
      "SELECT number FROM billing.invoice_numbers WHERE tenant = 'twice' ORDER BY number",
    )
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: 60 }, (_, index) => BigInt(index + 1)),
    )
  })

  test('rests on one catalogue: a change in between is seen, and nothing is stored', async () => {
    const tenant = await foundTenant('revision')
    await room.apply(tenant, company(1))
    await room.completeUsage(later, [tenant])
    const answer = await room.pool.withConnection(async (connection) => {
      await connection.query('BEGIN')
      await connection.query(
        "UPDATE billing.catalogue_revisions SET revision = revision + 1 WHERE tenant = 'revision'",
      )
      const closing = room.call(tenant, 'POST', '/v1/periods/close', until)
      await expect.poll(countWaiting).toBeGreaterThanOrEqual(1n)
      await connection.query('COMMIT')
      return closing
    })
    expect(answer.status).toBe(503)
    expect((await room.call(tenant, 'GET', '/v1/invoices')).body.items).toEqual([])
    expect((await room.call(tenant, 'POST', '/v1/periods/close', until)).body.closed).toBe(1)
  })

  test('of one tenant is nothing to another', async () => {
    const [mine, other] = [await foundTenant('mine'), await foundTenant('other')]
    await room.apply(mine, company(1))
    await room.completeUsage(later, [mine, other])
    const closed = await room.call(mine, 'POST', '/v1/periods/close', until)
    const [{ id }] = Object(closed.body.invoices)
    expect((await room.call(other, 'GET', '/v1/invoices')).body.items).toEqual([])
    for (const path of ['', '/certificate'])
      expect((await room.call(other, 'GET', `/v1/invoices/${id}${path}`)).status).toBe(404)
    expect((await room.call(other, 'POST', `/v1/invoices/${id}/verify`)).status).toBe(404)
    expect((await room.call(other, 'POST', '/v1/periods/close', until)).body).toMatchObject({
      closed: 0,
      invoices: [],
    })
  })

  test('needs a key that may, and an instant that is one', async () => {
    const reader = await room.installation.createTenant('reader', ['read'])
    expect((await room.call(reader, 'POST', '/v1/periods/close', until)).status).toBe(403)
    const admin = await foundTenant('admin')
    const answer = await room.call(admin, 'POST', '/v1/periods/close', { until: 'yesterday' })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'until' }] } })
    expect(endOfOctober).toBeLessThan(later)
  })
})
