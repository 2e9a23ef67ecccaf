import { readFile } from 'node:fs/promises'
import type { UsageAnswer } from '@tidemark/aggregator/usage/usage-answer.ts'
import { formatInstant, hourOf } from '@tidemark/schemas/instant.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'

let room: AggregatorRoom
beforeAll(async () => {
  room = await openAggregatorRoom('usageservice')
})
afterAll(() => room?.close())

const hour = 3_600_000_000
const start = hourOf(Date.now() * 1000) - 3 * hour

/** Three events in each of two hours that are over, and one in the hour that is not. */
const events = (tenant: string, tenantNumber: number) =>
  [0, 1, 2, 60, 61, 62, 180].map((minute) =>
    usageEvent({
      id: `event-${minute}`,
      tenant,
      tenantNumber,
      time: start + minute * 60_000_000,
      data: '{"quantity":"0.1"}',
    }),
  )

test('events become sealed usage in the running service, and a late one is in it before and after it is sealed', async () => {
  const acme = await room.installation.createTenant('acme')
  const service = await room.start({
    AGGREGATOR_SEALING_INTERVAL_MS: '100',
    AGGREGATOR_SEALING_QUIET_MS: '0',
  })
  const authorization = `Bearer ${acme.key}`
  const meter = { key: 'requests', eventType: 'request', aggregation: 'sum', valuePath: 'quantity' }
  const created = await fetch(`${service.url}/v1/meters`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(meter),
  })
  expect(created.status).toBe(201)

  const query = new URLSearchParams({
    from: formatInstant(start),
    to: formatInstant(start + 4 * hour),
    window: 'hour',
  })
  const usage = async () => {
    const answer = await fetch(`${service.url}/v1/meters/requests/usage?${query}`, {
      headers: { authorization },
    })
    const { items }: UsageAnswer = JSON.parse(await answer.text())
    return items.map(({ value }) => value)
  }
  const hours = [start / 1_000_000, start / 1_000_000 + 3600]
  // The open hour is left out, for it may end while the test runs.
  const sealedHours = () =>
    room.clickHouse.query(
      `SELECT toUnixTimestamp(hour) AS sealed, toUInt32(max(matched_count)) AS matched FROM usage_seals
       WHERE toUnixTimestamp(hour) IN {hours:Array(UInt32)} GROUP BY sealed ORDER BY sealed`,
      { hours },
    )

  await room.producer.send(events(acme.tenant, acme.tenantNumber))
  await vi.waitFor(async () => expect(await usage()).toEqual(['0.3', '0.3', '0', '0.1']), patience)
  await vi.waitFor(
    async () => expect(await sealedHours()).toEqual(hours.map((sealed) => ({ sealed, matched: 3 }))),
    patience,
  )
  expect(await usage()).toEqual(['0.3', '0.3', '0', '0.1'])

  const late = {
    id: 'late',
    tenant: acme.tenant,
    tenantNumber: acme.tenantNumber,
    time: start + 5,
    data: '{"quantity":2}',
  }
  await room.producer.send([usageEvent(late), usageEvent(late)])
  await vi.waitFor(async () => expect(await usage()).toEqual(['2.3', '0.3', '0', '0.1']), patience)
  await vi.waitFor(
    async () =>
      expect(await sealedHours()).toEqual([
        { sealed: hours[0], matched: 4 },
        { sealed: hours[1], matched: 3 },
      ]),
    patience,
  )
  expect(await usage()).toEqual(['2.3', '0.3', '0', '0.1'])
  expect(await service.stop()).toBe(0)
  expect(await readFile(service.logFile, 'utf8')).not.toContain('"level":"error"')
})
