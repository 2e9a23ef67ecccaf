import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { hourOf } from '@tidemark/schemas/instant.ts'
import { type DaySlice, dayParams, ofDays } from './day-slices.ts'
import { type Difference, difference } from './difference.ts'
import {
  belowCut,
  type CheckScope,
  type CheckSources,
  gently,
  hourConditions,
  scopeParams,
  sliceTimeout,
} from './scope.ts'

type Row = {
  log: number
  partition: number
  offset: string
  tenant: string
  type: string
  subject: string
  at: string
  accepted: string
  data: string
  hash: string
}

/** Events of a slice that are named; the rest would say the same. */
const mostNamed = 1_000

/** Takes the payload hash of each raw event anew, so that a row changed in place shows. */
export async function checkPayloads(
  { clickHouse }: CheckSources,
  scope: CheckScope,
  { days }: DaySlice,
): Promise<Difference[]> {
  const cut = belowCut(scope)
  const where = [ofDays('toDate(time)'), cut.sql, ...hourConditions(scope, 'toStartOfHour(time)')]
  const rows = clickHouse.stream<Row>(
    `SELECT log, partition, offset, tenant, type, subject, data, hex(payload_hash) AS hash,
       toString(toUnixTimestamp64Micro(time)) AS at, toString(toUnixTimestamp64Micro(accepted_at)) AS accepted
     FROM usage_events FINAL WHERE ${where.join(' AND ')} ${gently}`,
    { ...cut.params, ...dayParams(days), ...scopeParams(scope) },
    sliceTimeout,
  )
  const altered: Difference[] = []
  let unnamed = 0
  for await (const row of rows) {
    if (isAsAccepted(row)) continue
    if (altered.length === mostNamed) {
      unnamed += 1
      continue
    }
    const place = { log: row.log, partition: row.partition, offset: BigInt(row.offset) }
    const hour = hourOf(Number(row.at)) / 1_000_000
    altered.push(difference.raw('raw_altered', place, { tenant: row.tenant, type: row.type, hour }))
  }
  const [first] = altered
  return first === undefined ? [] : [{ ...first, count: 1 + unnamed }, ...altered.slice(1)]
}

/** An event that came without a time was given that of its acceptance, which its hash does not cover. */
function isAsAccepted({ type, subject, data, at, accepted, hash }: Row): boolean {
  const hashOf = (timeMicros: number | undefined) =>
    payloadHash({ type, subject, timeMicros, data }).toString('hex').toUpperCase()
  return hashOf(Number(at)) === hash || (at === accepted && hashOf(undefined) === hash)
}
