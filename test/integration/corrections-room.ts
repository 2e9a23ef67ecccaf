import { runCheck } from '@tidemark/aggregator/ledger/check/run-check.ts'
import { createMeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { hourOf } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom } from './aggregator-room.ts'

export const hour = 3_600_000_000

/** Five hours ago, on the hour: over for long, and within what may be sent. */
export const begin = hourOf(Date.now() * 1000) - 5 * hour

/** As ingest encodes a void: it says nothing but what it takes back. */
export function voiding(id: string, revision: number): UsageEvent {
  const nothing = { type: '', subject: '', data: '' }
  return usageEvent({
    id,
    ...nothing,
    action: 'void',
    revision,
    payloadHash: payloadHash({ ...nothing, timeMicros: undefined }),
  })
}

export const event = (id: string, quantity: number, given: Partial<UsageEvent> = {}): UsageEvent =>
  usageEvent({ id, time: begin, data: `{"quantity":${quantity}}`, ...given })

export const correcting = (
  id: string,
  revision: number,
  quantity: number,
  given: Partial<UsageEvent> = {},
): UsageEvent => event(id, quantity, { action: 'correct', revision, ...given })

export type CorrectionsRoom = AggregatorRoom & {
  readonly meter: MeterVersion
  /** The ledger's rows of events and corrections in the order of each partition, in words. */
  verdicts(): Promise<string[]>
  /** Quantities by hour after `begin` and subject as of now, read as queries read and from raw events alone. */
  usage(): Promise<{ read: string[]; recomputed: string[] }>
  /** How many differences `npm run ledger -- check` finds. */
  differences(): Promise<number>
  /** The newest sealed quantity of each hour after `begin`. */
  sealed(): Promise<string[]>
}

/** An aggregator of its own with a meter that adds up quantities of the type `request`. */
export async function openCorrectionsRoom(name: string): Promise<CorrectionsRoom> {
  const room = await openAggregatorRoom(name)
  const meters = createMeterStore(room.installation.openPool('tidemark_aggregator'))
  const { meter } = await meters.register('acme', {
    key: 'quantity',
    eventType: 'request',
    aggregation: 'sum',
    valuePath: 'quantity',
  })
  const { clickHouse } = room

  async function usage(how: typeof readUsage): Promise<string[]> {
    const ends = await clickHouse.query<{ partition: number; end: string }>(
      'SELECT partition, toString(max(offset) + 1) AS end FROM usage_ledger GROUP BY partition ORDER BY partition',
    )
    const rows = await how(clickHouse, {
      meter,
      cut: ends.map(({ partition, end }) => ({ log: 1, partition, offset: BigInt(end) })),
      from: begin,
      to: begin + 8 * hour,
      windowStarts: Array.from({ length: 8 }, (_, index) => begin + index * hour),
      timeZone: 'UTC',
      groupBySubject: true,
      groupByDimensions: [],
      offset: 0,
      limit: 10_000,
    })
    return rows.map(
      ({ windowStart, subject, value }) => `${(windowStart - begin) / hour} ${subject} ${value}`,
    )
  }

  return {
    ...room,
    meter,
    async verdicts() {
      const rows = await clickHouse.query<{ words: string }>(
        `SELECT concat(toString(verdict), if(first_log = 0, '', concat(' ', toString(first_offset)))) AS words
         FROM usage_ledger FINAL ORDER BY partition, offset`,
      )
      return rows.map(({ words }) => words)
    },
    usage: async () => ({ read: await usage(readUsage), recomputed: await usage(recompute) }),
    async differences() {
      const { report } = await runCheck(
        { clickHouse, readMeters: meters.all, tell: () => {} },
        { fromHour: undefined, toHour: undefined, tenant: undefined, payloads: true },
      )
      return report.total()
    },
    async sealed() {
      const rows = await clickHouse.query<{ words: string }>(
        `SELECT concat(toString(intDiv(toUnixTimestamp(seal_hour) - {begin:UInt32}, 3600)), ' ', toString(total)) AS words
         FROM (
           SELECT hour AS seal_hour, max(seal_version) AS newest FROM usage_seals GROUP BY hour
         ) AS seals LEFT JOIN (
           SELECT hour, seal_version, sum(sum) AS total FROM usage_hourly FINAL GROUP BY hour, seal_version
         ) AS hourly ON hourly.hour = seal_hour AND hourly.seal_version = newest
         ORDER BY seal_hour`,
        { begin: begin / 1_000_000 },
      )
      return rows.map(({ words }) => words)
    },
  }
}
