import type { UsageQuery } from '@tidemark/aggregator/usage/usage-query.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'
import { afterAll, expect, test } from 'vitest'
import { createRandom, type Random } from './usage-history.ts'
import { at, type LogEntry } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

const rooms: UsageRoom[] = []
afterAll(() => Promise.all(rooms.map((room) => room.close())))

const hour = 3_600_000_000
const from = at('2026-10-05T00:00:00Z')
const hours = 12
const to = from + hours * hour

test.each([1, 2, 3])(
  'a history with corrections reads, at every cut, as what was in force there (seed %i)',
  async (seed) => {
    const room = await openUsageRoom('corrections')
    rooms.push(room)
    const random = createRandom(seed)
    const meter = await register(room, { aggregation: 'sum' })
    const others = await Promise.all(otherMeters.map((each) => register(room, each)))
    const chains: LogEntry[] = []
    const cuts: { cut: Cut; rows: unknown[] }[] = []
    for (let step = 0; step < 8; step += 1) {
      for (let count = 4 + random.below(20); count > 0; count -= 1) appendSomething(room, random, chains)
      room.log.appendRejected(random.below(8))
      // Hours are over from one step to the next, and corrections then change what has been sealed.
      await room.log.write(from + (step + 4) * hour)
      if (random.below(4) > 0) await room.seal({ patient: random.below(3) === 0 })
      const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
      cuts.push({ cut, rows: expectedRows(room.log.entries, cut) })
      for (const { cut, rows } of cuts.slice(-2))
        expect(await read(readUsage, room, queryOf(meter, cut))).toEqual(rows)
    }
    expect((await room.seal()).unprovedCells).toBe(0)
    for (const { cut, rows } of cuts) {
      const query = queryOf(meter, cut)
      expect(await read(readUsage, room, query)).toEqual(rows)
      expect(await read(recompute, room, query)).toEqual(rows)
    }
    // A maximum, a latest value or a level cannot be taken back by subtracting: sealed hours must be recomputed.
    for (const { cut } of cuts.slice(-2))
      for (const other of others) {
        const query = queryOf(other, cut)
        expect(await read(readUsage, room, query)).toEqual(await read(recompute, room, query))
      }
  },
)

/** A new event, or a change of one that is there: `chains` holds the last word on each event. */
function appendSomething(room: UsageRoom, random: Random, chains: LogEntry[]): void {
  const place = random.below(chains.length)
  const chosen = chains[place]
  if (chosen === undefined || random.below(2) === 0) {
    const [type, subject] = [random.pick(['api.call', 'other'], ''), random.pick(['alice', 'bob'], '')]
    const data = { bytes: random.below(100) }
    const time = from + random.below(hours) * hour + random.below(3_600_000_000)
    chains.push(room.log.append({ tenant: 'acme', type, subject, time, data }))
    return
  }
  chains[place] = room.log.correct(chosen, changeOf(random))
}

function changeOf(random: Random): Partial<LogEntry> | 'void' {
  const data = { bytes: random.below(100) }
  switch (random.below(5)) {
    case 0:
      return 'void'
    case 1:
      return { data, time: from + random.below(hours) * hour + random.below(3_600_000_000) }
    case 2:
      return { data, type: random.pick(['api.call', 'other'], '') }
    case 3:
      return { data, subject: random.pick(['alice', 'bob'], '') }
    default:
      return { data }
  }
}

/** Without any SQL: what lies below the cut, but for voids and for what something below the cut supersedes. */
function expectedRows(entries: readonly LogEntry[], cut: Cut): unknown[] {
  const below = entries.filter(
    ({ partition, offset }) =>
      offset < Number(cut.find((entry) => entry.partition === partition)?.offset ?? 0n),
  )
  const superseded = new Set(below.map(({ correction }) => correction?.superseded))
  const sums = new Map<string, { value: number; events: number }>()
  for (const entry of below) {
    const { type, subject, time, data, correction } = entry
    if (superseded.has(entry) || correction?.action === 'void' || type !== 'api.call') continue
    const key = `${String(Math.floor((time - from) / hour)).padStart(2, '0')}/${subject}`
    const { value, events } = sums.get(key) ?? { value: 0, events: 0 }
    sums.set(key, { value: value + Number(Object(data).bytes), events: events + 1 })
  }
  return [...sums].map(([key, { value, events }]) => [key, `${value}`, events]).sort()
}

async function read(how: typeof readUsage, room: UsageRoom, query: UsageQuery): Promise<unknown[]> {
  const rows = await how(room.clickHouse, query)
  return rows
    .map(({ windowStart, subject, value, eventCount }) => [
      `${String((windowStart - from) / hour).padStart(2, '0')}/${subject}`,
      value,
      Number(eventCount),
    ])
    .sort()
}

const otherMeters = [
  { aggregation: 'max' },
  { aggregation: 'unique-count' },
  { aggregation: 'latest' },
  { aggregation: 'time-weighted-sum', values: 'levels' },
] as const

async function register(
  room: UsageRoom,
  counting: Pick<Meter, 'aggregation' | 'values'>,
): Promise<MeterVersion> {
  const { meter } = await room.meters.register('acme', {
    key: `bytes-${counting.aggregation}`,
    eventType: 'api.call',
    valuePath: 'bytes',
    ...counting,
  })
  return meter
}

const queryOf = (meter: MeterVersion, cut: Cut): UsageQuery => ({
  meter,
  cut,
  from,
  to,
  windowStarts: Array.from({ length: hours }, (_, index) => from + index * hour),
  timeZone: 'UTC',
  groupBySubject: true,
  groupByDimensions: [],
  offset: 0,
  limit: 10_000,
})
