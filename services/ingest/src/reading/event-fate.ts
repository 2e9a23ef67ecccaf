import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { type Version, versionsOf } from './event-history.ts'
import { type EventRow, eventColumns, showEvent } from './event-rows.ts'

/** Copies that one answer shows, from the first: each is a point read in the ledger. */
export const mostCopies = 100

const timeoutMs = 10_000
// Bounds of the two reads by key: some granules of each part. What wants more is a scan, and is refused.
const mostIdentityRows = 1_000_000
const mostLedgerRows = 2_000_000

export type EventName = {
  readonly tenant: string
  readonly tenantNumber: number
  readonly source: string
  readonly id: string
}

type Verdict = 'accepted' | 'duplicate' | 'conflict' | 'correction' | 'rejected'

type Place = { readonly log: number; readonly partition: number; readonly offset: string }

type LedgerRow = Place & {
  readonly verdict: Verdict
  readonly revision: number
  readonly payloadHash: string
  readonly first_log: number
  readonly first_partition: number
  readonly first_offset: string
  readonly append_time: string
  readonly type: string
  readonly hour: string
}

/**
 * What became of an event, from all its copies in the order of the log; undefined when the ledger has none. Reads by
 * keys alone: the identity, then the copies' offsets, then the days and types of what was ever in force.
 */
export async function findEventFate(clickHouse: ClickHouse, name: EventName) {
  const places = await findPlaces(clickHouse, name)
  if (places.length === 0) return undefined
  const rows = await readLedger(clickHouse, name.tenant, places.slice(0, mostCopies))
  const [first] = rows
  if (first === undefined) return undefined
  const versions = versionsOf(rows)
  const placed = versions.filter(({ action }) => action !== 'void').map(({ row }) => row)
  const events = placed.length === 0 ? [] : await readEvents(clickHouse, name.tenant, placed)
  const shown = new Map(events.map((event) => [placeKey(event), showEvent(event)]))
  const last = versions.at(-1)
  const counts = last !== undefined && last.action !== 'void'
  return {
    source: name.source,
    id: name.id,
    verdict: last?.row.verdict ?? first.verdict,
    event: last === undefined ? null : (shown.get(placeKey(last.row)) ?? null),
    countsIn: counts ? { type: last.row.type, hour: last.row.hour } : null,
    history: versions.map((version) => showVersion(version, shown)),
    copies: rows.map(showCopy),
    hasMoreCopies: places.length > mostCopies,
  }
}

async function findPlaces(clickHouse: ClickHouse, name: EventName): Promise<Place[]> {
  return clickHouse.query<Place>(
    `SELECT log, partition, offset FROM usage_ledger_by_identity FINAL
     WHERE identity = toFixedString(unhex({identity:String}), 20)
     ORDER BY log, partition, offset LIMIT {rows:UInt32} SETTINGS max_rows_to_read = ${mostIdentityRows}`,
    { identity: identityKey(name.tenantNumber, name.source, name.id).toString('hex'), rows: mostCopies + 1 },
    { timeoutMs },
  )
}

/** A row here says that all it stands for is written, which the copy by identity does not. */
async function readLedger(
  clickHouse: ClickHouse,
  tenant: string,
  places: readonly Place[],
): Promise<LedgerRow[]> {
  return clickHouse.query<LedgerRow>(
    `SELECT log, partition, offset, verdict, revision, lower(hex(payload_hash)) AS payloadHash,
       first_log, first_partition, first_offset, append_time, type, hour
     FROM usage_ledger FINAL
     WHERE (log, partition, offset) IN ${zipped} AND tenant = {tenant:String}
     ORDER BY log, partition, offset SETTINGS max_rows_to_read = ${mostLedgerRows}`,
    { tenant, ...arraysOf(places) },
    { timeoutMs },
  )
}

/** Rewrites of an offset are identical, so that any of them will do. */
async function readEvents(
  clickHouse: ClickHouse,
  tenant: string,
  accepted: readonly LedgerRow[],
): Promise<EventRow[]> {
  return clickHouse.query<EventRow>(
    `SELECT ${eventColumns} FROM usage_events
     WHERE tenant = {tenant:String} AND type IN {types:Array(String)}
       AND toDate(time) IN {days:Array(Date)} AND toUnixTimestamp(toStartOfHour(time)) IN {hours:Array(UInt32)}
       AND (log, partition, offset) IN ${zipped}
     LIMIT 1 BY log, partition, offset`,
    {
      tenant,
      types: accepted.map(({ type }) => type),
      days: accepted.map(({ hour }) => hour.slice(0, 10)),
      hours: accepted.map(({ hour }) => Date.parse(hour) / 1000),
      ...arraysOf(accepted),
    },
    { timeoutMs },
  )
}

// Arrays of numbers, and zipped: the client writes no tuples.
const zipped = 'arrayZip({logs:Array(UInt16)}, {partitions:Array(UInt16)}, {offsets:Array(UInt64)})'

const arraysOf = (places: readonly Place[]) => ({
  logs: places.map(({ log }) => log),
  partitions: places.map(({ partition }) => partition),
  offsets: places.map(({ offset }) => BigInt(offset)),
})

const shownPlace = ({ log, partition, offset }: Place) => ({ log, partition, offset: Number(offset) })

const showVersion = (
  { row, action, supersededBy }: Version<LedgerRow>,
  shown: ReadonlyMap<string, ReturnType<typeof showEvent>>,
) => ({
  ...shownPlace(row),
  action,
  revision: action === 'none' ? 0 : row.revision,
  event: shown.get(placeKey(row)) ?? null,
  supersededBy: supersededBy === undefined ? null : shownPlace(supersededBy),
})

const placeKey = ({ log, partition, offset }: Place): string => `${log}/${partition}/${offset}`

function showCopy(row: LedgerRow) {
  const { verdict, append_time, type, hour, payloadHash } = row
  return {
    ...shownPlace(row),
    verdict,
    // Log 0 is no log: nobody holds the identity of what was rejected.
    first:
      row.first_log === 0
        ? null
        : { log: row.first_log, partition: row.first_partition, offset: Number(row.first_offset) },
    appendedAt: append_time,
    // A void has neither: it counts nowhere.
    type: isVoid(row) ? null : type,
    hour: isVoid(row) ? null : hour,
    payloadHash,
  }
}

const isVoid = ({ verdict, type }: LedgerRow): boolean => verdict === 'correction' && type === ''
