import type { UsageQuery } from '@tidemark/aggregator/usage/usage-query.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { usageWindows, windowStarts } from '@tidemark/schemas/usage-window.ts'
import { afterAll, expect, test } from 'vitest'
import { createRandom, expectUsage, type Random, randomEvent } from './usage-history.ts'
import { at, type LogEntry } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

const rooms: UsageRoom[] = []
afterAll(() => Promise.all(rooms.map((room) => room.close())))

const from = at('2026-03-27T00:00:00Z')
const to = at('2026-04-02T00:00:00Z')
const hour = 3_600_000_000
const zones = ['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Europe/Berlin', 'America/New_York']

test.each([1, 2, 3, 4])(
  'a history with late events reads as its events say, whatever has been sealed (seed %i)',
  async (seed) => {
    const room = await openUsageRoom('history')
    rooms.push(room)
    const random = createRandom(seed)
    const meter = await registerMeter(room)
    const cuts: { query: UsageQuery; events: readonly LogEntry[] }[] = []
    let until = from + 12 * hour
    for (let step = 0; step < 8; step += 1) {
      for (let count = random.below(40); count > 0; count -= 1)
        room.log.append(randomEvent(random, from, Math.min(until + hour, to)))
      room.log.appendRejected(random.below(8))
      until += random.below(30) * hour
      await room.log.write(until)
      if (step === 4)
        await room.meters.register('acme', { key: 'late', eventType: 'api.call', aggregation: 'count' })
      if (random.below(4) > 0) await room.seal({ patient: random.below(2) === 0 })
      const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
      const query = randomQuery(random, meter, cut)
      cuts.push({ query, events: [...room.log.entries] })
      // The first cut, and the latest ones: passes have been completed since, and the answers stay.
      for (const { query, events } of [...cuts.slice(0, 1), ...cuts.slice(1).slice(-2)]) {
        const expected = expectUsage(events, { ...query, tenant: meter.tenant, type: meter.eventType })
        expect(await readUsage(room.clickHouse, query)).toEqual(expected)
        expect(await recompute(room.clickHouse, query)).toEqual(expected)
      }
    }
  },
)

async function registerMeter(room: UsageRoom): Promise<MeterVersion> {
  const { meter } = await room.meters.register('acme', {
    key: 'bytes',
    eventType: 'api.call',
    aggregation: 'sum',
    valuePath: 'bytes',
    dimensions: { region: 'region', tier: 'tier' },
  })
  return meter
}

function randomQuery(random: Random, meter: MeterVersion, cut: UsageQuery['cut']): UsageQuery {
  const start = from + random.below(48) * hour + random.below(2) * 1_234_567
  const end = Math.min(to, start + (1 + random.below(96)) * hour + random.below(2) * 999_999_999)
  const window = random.pick(usageWindows, 'day')
  const starts = windowStarts({ start, end }, window, random.pick(zones, 'UTC'), 1_000) ?? []
  return {
    meter,
    cut,
    from: start,
    to: end,
    windowStarts: starts,
    subject: random.below(3) === 0 ? 'alice' : undefined,
    groupBySubject: random.below(2) === 0,
    groupByDimensions: random.pick([[], ['region'], ['region', 'tier'], ['tier']], []),
    offset: 0,
    limit: 10_000,
  }
}
