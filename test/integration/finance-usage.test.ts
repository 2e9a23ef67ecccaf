import { createMeterPublication } from '@tidemark/aggregator/finance/meter-publication.ts'
import { readUsage } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'
import { windowStarts } from '@tidemark/schemas/usage-window.ts'
import { afterAll, expect, test } from 'vitest'
import { createRandom, randomEvent } from './usage-history.ts'
import { at } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

const rooms: UsageRoom[] = []
afterAll(() => Promise.all(rooms.map((room) => room.close())))

const from = at('2026-03-27T00:00:00Z')
const to = at('2026-04-02T00:00:00Z')
const hour = 3_600_000_000

const bytes = { eventType: 'api.call', valuePath: 'bytes' } as const
const meters: Meter[] = [
  { key: 'calls', eventType: 'api.call', aggregation: 'count' },
  { ...bytes, key: 'bytes', aggregation: 'sum', dimensions: { tier: 'tier', region: 'region' } },
  {
    ...bytes,
    key: 'bytes_eu',
    aggregation: 'sum',
    filters: [
      { path: 'region', in: ['eu', ''] },
      { path: 'tier', in: ['1', '2'] },
    ],
  },
  { ...bytes, key: 'least', aggregation: 'min' },
  { ...bytes, key: 'most', aggregation: 'max' },
  { ...bytes, key: 'usual', aggregation: 'average' },
  { ...bytes, key: 'distinct', aggregation: 'unique-count' },
  { ...bytes, key: 'newest', aggregation: 'latest' },
  { ...bytes, key: 'near', aggregation: 'average', rounding: { mode: 'round', precision: 1 } },
  { ...bytes, key: 'above', aggregation: 'sum', rounding: { mode: 'ceil', precision: 0 } },
  { ...bytes, key: 'below', aggregation: 'sum', rounding: { mode: 'floor', precision: -1 } },
]

type Row = {
  meter: string
  subject: string
  /** Of the window, as far as it lies in the range. */
  start: string
  value: string | null
  events: string
  unreadable: string
}

test('views say what the usage query says, whatever is sealed and corrected', async () => {
  const room = await openUsageRoom('finance')
  rooms.push(room)
  const { clickHouse } = room
  const random = createRandom(11)
  const publish = createMeterPublication(clickHouse)
  for (const meter of meters) await room.meters.register('acme', meter)
  for (const meter of meters.slice(0, 2)) await room.meters.register('other', meter)
  await room.meters.register('acme', {
    key: 'calls',
    eventType: 'api.call',
    aggregation: 'count',
    filters: [{ path: 'tier', in: ['0'] }],
  })
  const known = await room.meters.all()
  await publish(known)
  let until = from + 12 * hour
  for (let step = 0; step < 4; step += 1) {
    for (let count = 10 + random.below(40); count > 0; count -= 1)
      room.log.append(randomEvent(random, from, Math.min(until + hour, to)))
    for (const entry of [...room.log.entries].slice(-3)) {
      if (entry.correction || random.below(2) === 0) continue
      const corrected = room.log.correct(entry, { data: { bytes: random.below(9), region: 'eu', tier: 1 } })
      if (random.below(2) === 0) room.log.correct(corrected, 'void')
    }
    until += random.below(30) * hour
    await room.log.write(until)
    // A row written twice, as by a replay, counts once.
    const again = room.log.entries[random.below(room.log.entries.length)]
    if (again) await room.log.writeRaw(again)
    if (step === 0 || random.below(3) > 0) await room.seal({ patient: random.below(2) === 0 })
    if (step % 2 === 1) expect(await byView(room, 'day')).toEqual(await byQuery(room, known, 'day'))
  }
  expect(await byView(room, 'month')).toEqual(await byQuery(room, known, 'month'))
})

const byView = ({ clickHouse, installation }: UsageRoom, window: 'day' | 'month') =>
  clickHouse.query<Row>(
    `SELECT concat(tenant, '/', meter, '/', toString(version)) AS meter, subject,
       toString(greatest(${window}, toDate('2026-03-27'))) AS start,
       toString(value) AS value, toString(events) AS events, toString(unreadable) AS unreadable
     FROM ${installation.database}_finance.usage_by_${window} ORDER BY meter, subject, start`,
  )

async function byQuery(room: UsageRoom, known: readonly MeterVersion[], window: 'day' | 'month') {
  const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
  const read = async (meter: MeterVersion): Promise<Row[]> => {
    const answer = await readUsage(room.clickHouse, {
      meter,
      cut,
      from,
      to,
      windowStarts: windowStarts({ start: from, end: to }, window, 'UTC', 100) ?? [],
      timeZone: 'UTC',
      groupBySubject: true,
      groupByDimensions: [],
      offset: 0,
      limit: 10_000,
    })
    return answer.map(({ windowStart, subject, value, eventCount, unreadable }) => ({
      meter: `${meter.tenant}/${meter.key}/${meter.version}`,
      subject,
      start: new Date(windowStart / 1000).toISOString().slice(0, 10),
      value,
      events: String(eventCount),
      unreadable: String(unreadable),
    }))
  }
  const rows = (await Promise.all(known.map(read))).flat()
  const keyOf = ({ meter, subject, start }: Row) => [meter, subject, start].join(' ')
  return rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
