import { findDifferingHours, type SealedHours } from '@tidemark/aggregator/ledger/check/sealed-hours.ts'
import { type CutRow, cutOf } from '@tidemark/aggregator/usage/seal-pass.ts'
import type { UsageQuery } from '@tidemark/aggregator/usage/usage-query.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import { isCarried, type Meter, type MeterVersion } from '@tidemark/schemas/meter.ts'
import { usageWindows, windowStarts } from '@tidemark/schemas/usage-window.ts'
import { afterAll, expect, test } from 'vitest'
import { expectUsage } from './usage-expectation.ts'
import { createRandom, type Random, randomEvent } from './usage-history.ts'
import { at, type LogEntry } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

const rooms: UsageRoom[] = []
afterAll(() => Promise.all(rooms.map((room) => room.close())))

const from = at('2026-03-27T00:00:00Z')
const to = at('2026-04-02T00:00:00Z')
const hour = 3_600_000_000
const zones = ['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Europe/Berlin', 'America/New_York']

type Definition = Omit<Meter, 'key' | 'eventType' | 'dimensions' | 'valuePath'>
const definitions: Definition[] = [
  { aggregation: 'sum' },
  { aggregation: 'min' },
  { aggregation: 'max' },
  { aggregation: 'average', rounding: { mode: 'floor', precision: 3 } },
  { aggregation: 'unique-count' },
  { aggregation: 'latest' },
  { aggregation: 'time-weighted-sum', values: 'changes', initialValue: '7.5' },
  { aggregation: 'time-weighted-sum', values: 'levels', initialValue: '-2' },
  { aggregation: 'time-weighted-max', values: 'changes', initialValue: '3' },
  { aggregation: 'time-weighted-max', values: 'levels', initialValue: '1' },
  { aggregation: 'prorated-sum', initialValue: '5' },
]

test.each([1, 2])(
  'a history with late and repeated events reads as its events say, whatever has been sealed (seed %i)',
  async (seed) => {
    const room = await openUsageRoom('history')
    rooms.push(room)
    const random = createRandom(seed)
    const meters = await Promise.all(
      definitions.map((definition, index) => register(room, definition, index)),
    )
    const asked: { query: UsageQuery; events: readonly LogEntry[] }[] = []
    let until = from + 12 * hour
    for (let step = 0; step < 6; step += 1) {
      for (let count = random.below(40); count > 0; count -= 1)
        room.log.append(randomEvent(random, from, Math.min(until + hour, to)))
      room.log.appendRejected(random.below(8))
      until += random.below(30) * hour
      await room.log.write(until)
      const repeated = random.pick<LogEntry | undefined>(room.log.entries, undefined)
      if (repeated) await room.log.writeRaw(repeated)
      if (step === 3) meters.push(await register(room, { aggregation: 'average' }, meters.length))
      if (random.below(4) > 0) await room.seal({ patient: random.below(2) === 0 })
      const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
      const now = meters.map((meter) => ({
        query: randomQuery(random, meter, cut),
        events: [...room.log.entries],
      }))
      // An earlier one too: passes have been completed since, and its answer stays.
      const again = asked[random.below(asked.length)]
      for (const { query, events } of [...(again ? [again] : []), ...now]) {
        const expected = expectUsage(events, expectationOf(query))
        expect(await readUsage(room.clickHouse, query), JSON.stringify(query, quoted)).toEqual(expected)
        expect(await recompute(room.clickHouse, query), JSON.stringify(query, quoted)).toEqual(expected)
      }
      asked.push(...now)
    }
    // Sealed again, every hour would be the same, whatever the aggregation keeps of it.
    for (const meter of meters) {
      const sealed = await readSeals(room, meter)
      expect(sealed.length).toBeGreaterThan(0)
      for (const seal of sealed) expect(await findDifferingHours(room.clickHouse, seal)).toEqual([])
    }
  },
)

async function readSeals({ clickHouse }: UsageRoom, meter: MeterVersion): Promise<SealedHours[]> {
  const rows = await clickHouse.query<{ version: string; cut: CutRow; hours: number[] }>(
    `SELECT toString(seal_version) AS version, cut, groupUniqArray(toUnixTimestamp(hour)) AS hours FROM usage_seals
     WHERE meter_key = {key:String} GROUP BY version, cut`,
    { key: meter.key },
  )
  return rows.map(({ version, cut, hours }) => ({
    meter,
    sealVersion: BigInt(version),
    cut: cutOf(cut),
    hours,
  }))
}

const quoted = (_: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value

const expectationOf = (query: UsageQuery) => ({
  ...query,
  tenant: query.meter.tenant,
  subjects: query.subjects,
  filters: query.filters ?? new Map(),
})

async function register(room: UsageRoom, definition: Definition, index: number): Promise<MeterVersion> {
  const { meter } = await room.meters.register('acme', {
    key: `meter-${index}`,
    eventType: 'api.call',
    valuePath: 'bytes',
    dimensions: { region: 'region', tier: 'tier' },
    ...definition,
  })
  return meter
}

function randomQuery(random: Random, meter: MeterVersion, cut: UsageQuery['cut']): UsageQuery {
  const begin = from + random.below(48) * hour
  const start = begin + random.below(2) * (isCarried(meter) ? 1_234_000_000 : 1_234_567)
  const window = random.pick(usageWindows, 'day')
  const hours = window === 'minute' ? 1 + random.below(4) : 1 + random.below(96)
  const end = Math.min(to, start + hours * hour + random.below(2) * 999_999_999)
  const timeZone = random.pick(zones, 'UTC')
  return {
    meter,
    cut,
    from: start,
    to: end,
    windowStarts: windowStarts({ start, end }, window, timeZone, 1_000) ?? [],
    timeZone,
    subjects: random.pick<string[] | undefined>(
      [undefined, undefined, ['alice'], ['alice', 'bob']],
      undefined,
    ),
    filters: new Map(random.below(4) === 0 ? [['region', random.pick([['eu'], ['eu', '']], ['eu'])]] : []),
    groupBySubject: random.below(2) === 0,
    groupByDimensions: random.pick([[], ['region'], ['region', 'tier'], ['region', 'tier'], ['tier']], []),
    offset: 0,
    limit: 100_000,
  }
}
