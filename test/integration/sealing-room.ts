import { readUsage } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'
import { at, type LogEntry } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

type SealRow = { hour: string; version: string; count: string; matched: string }

export type SealingRoom = UsageRoom & {
  register(tenant?: string, meter?: Meter): Promise<MeterVersion>
  append(time: string, amount: number | string, subject?: string): LogEntry
  /** The meter's sum up to November 2026 as of now, read the usual way or another. */
  total(
    meter: MeterVersion,
    read?: typeof readUsage,
    from?: string,
    subjects?: readonly string[],
  ): Promise<string>
  /** What is published, the hour as two digits. */
  seals(): Promise<SealRow[]>
}

export const bytes: Meter = {
  key: 'bytes',
  eventType: 'api.call',
  aggregation: 'sum',
  valuePath: 'bytes',
}

/** A usage room with one type of event and words for what sealing is tested with. */
export async function openSealingRoom(name: string): Promise<SealingRoom> {
  const room = await openUsageRoom(name)
  return {
    ...room,
    register: async (tenant = 'acme', meter = bytes) => (await room.meters.register(tenant, meter)).meter,
    append: (time, amount, subject = 'alice') =>
      room.log.append({
        tenant: 'acme',
        type: 'api.call',
        subject,
        time: at(time),
        data: { bytes: amount },
      }),
    async total(meter, read = readUsage, from = '2026-10-01T00:00:00Z', subjects = undefined) {
      const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
      const start = at(from)
      const [row] = await read(room.clickHouse, {
        meter,
        cut,
        from: start,
        to: at('2026-11-01T00:00:00Z'),
        windowStarts: [start],
        timeZone: 'UTC',
        subjects,
        groupBySubject: false,
        groupByDimensions: [],
        offset: 0,
        limit: 1,
      })
      return row?.value ?? '0'
    },
    seals: () =>
      room.clickHouse.query<SealRow>(
        `SELECT formatDateTime(hour, '%H') AS hour, toString(seal_version) AS version,
           toString(event_count) AS count, toString(matched_count) AS matched
         FROM usage_seals ORDER BY hour, seal_version`,
      ),
  }
}
