import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { company, meters } from './close-company.ts'
import { type CloseRoom, freePort, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

const count = 120
const folder = mkdtempSync(join(tmpdir(), 'tidemark-close-'))
let room: CloseRoom
let tenant: TestTenant

beforeAll(async () => {
  room = await openCloseRoom('killed')
  tenant = await room.installation.createTenant('acme')
  await room.createMeters('acme', meters)
  await room.apply(tenant, company(count))
  for (let index = 0; index < 2 * count; index++)
    room.log.append({
      tenant: 'acme',
      type: 'api.request',
      subject: `c${(index % count) + 1}-subject`,
      time: at('2026-10-05T10:30:00Z') + index,
      data: { status: 'ok' },
    })
  await room.completeUsage(at('2026-11-01T01:00:00Z'), [tenant])
})
afterAll(async () => {
  await room?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** One invoice per transaction, so that a kill meets the run somewhere in its middle. */
const startInvoicer = async (): Promise<ServiceProcess> =>
  startService({
    name: 'invoicer',
    port: await freePort(),
    env: { ...room.installation.env, INVOICER_CLOSE_BATCH_SIZE: '1', INVOICER_COLLECTION_ENABLED: 'false' },
    logDirectory: folder,
  })

const close = (url: string) =>
  fetch(`${url}/v1/periods/close`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ until: '2026-11-01T00:00:00Z', graceSeconds: 0 }),
  })

const countOf = async (table: string) => {
  const { rows } = await room.pool.query<{ count: bigint }>(`SELECT count(*) AS count FROM billing.${table}`)
  return Number(rows[0]?.count)
}

test('a close killed in the middle goes on where it was: each period once, no number missing', async () => {
  for (const killAt of [1, 40]) {
    const invoicer = await startInvoicer()
    const answer = close(invoicer.url).catch(() => undefined)
    await expect
      .poll(() => countOf('invoices'), { interval: 2, timeout: 30_000 })
      .toBeGreaterThanOrEqual(killAt)
    await invoicer.stop('SIGKILL')
    await answer
    expect(await countOf('invoices')).toBeLessThan(count)
  }
  const invoicer = await startInvoicer()
  const response = await close(invoicer.url)
  expect(response.status).toBe(200)
  await invoicer.stop()

  const told = "outbox WHERE event->>'type' LIKE 'billing.invoice.%'"
  for (const table of ['invoices', 'certificates', 'billing_claims', 'invoice_numbers', told])
    expect(await countOf(table), table).toBe(count)
  const { rows } = await room.pool.query<{ last: bigint; first: bigint; total: bigint }>(
    'SELECT min(number) AS first, max(number) AS last, count(DISTINCT number) AS total FROM billing.invoice_numbers',
  )
  expect(rows).toEqual([{ first: 1n, last: BigInt(count), total: BigInt(count) }])
  const { body: list } = await room.call(tenant, 'GET', '/v1/invoices?limit=1000')
  for (const { id, total } of Object(list.items)) {
    expect(total).toBe('20.03')
    expect((await room.call(tenant, 'POST', `/v1/invoices/${id}/verify`)).body.verified).toBe(true)
  }
})
