import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { parseClickHouseInstant } from '@tidemark/schemas/instant.ts'
import { usagePartitions } from '@tidemark/schemas/topics.ts'
import { expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'

async function completeUntil(room: AggregatorRoom): Promise<number[]> {
  const rows = await room.clickHouse.query<{ until: string }>(
    `SELECT toString(max(complete_until)) AS until FROM usage_watermarks
     WHERE topic = 'usage.events' AND log = 1 GROUP BY partition ORDER BY partition`,
  )
  return rows.map(({ until }) => parseClickHouseInstant(until))
}

test('a watermark passes an instant only when all that was acknowledged before it is in the ledger', async () => {
  const room = await openAggregatorRoom('marks')
  try {
    const service = await room.start()
    await room.producer.send(Array.from({ length: 400 }, (_, at) => usageEvent({ id: `a-${at}` })))
    const sentBefore = Date.now() * 1000
    await vi.waitFor(async () => {
      const instants = await completeUntil(room)
      expect(instants.length).toBe(usagePartitions)
      for (const instant of instants) expect(instant).toBeGreaterThan(sentBefore)
    }, patience)
    expect((await room.truth()).missing).toBe(0)

    // Nobody knows this schema, so partition 0 waits with it, and its watermark with the partition.
    const unknown = frame(2_147_483_647, Buffer.from('later'))
    await room.producer.sendRaw([{ partition: 0, key: 'later', value: unknown }])
    const acknowledged = Date.now() * 1000
    await vi.waitFor(async () => {
      const [, ...others] = await completeUntil(room)
      for (const instant of others) expect(instant).toBeGreaterThan(acknowledged)
    }, patience)
    const [waiting] = await completeUntil(room)
    expect(waiting).toBeLessThanOrEqual(acknowledged)
    const answer = await fetch(`${service.url}/readyz`)
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('2147483647')
    expect(await service.stop()).toBe(0)
  } finally {
    await room.close()
  }
})

test('a watermark follows what has just been processed, however long the time between two', async () => {
  const room = await openAggregatorRoom('hurry')
  try {
    const service = await room.start({ AGGREGATOR_WATERMARK_INTERVAL_MS: '60000' })
    await room.producer.send(Array.from({ length: 400 }, (_, at) => usageEvent({ id: `b-${at}` })))
    await vi.waitFor(
      async () => {
        const [row] = await room.clickHouse.query<{ events: string }>(
          `SELECT sum(next) AS events FROM (
             SELECT max(next_offset) AS next FROM usage_watermarks WHERE topic = 'usage.events' GROUP BY partition)`,
        )
        expect(row).toEqual({ events: '400' })
      },
      { timeout: 40_000, interval: 50 },
    )
    expect(await service.stop()).toBe(0)
  } finally {
    await room.close()
  }
})
