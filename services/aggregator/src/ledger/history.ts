import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { HistoryEntry } from '../deduplication/correction.ts'
import { identityText } from '../deduplication/decide.ts'
import { identitiesPerQuery, inIdentities } from './ledger.ts'

type Row = {
  key: string
  log: number
  partition: number
  offset: string
  kind: 'accepted' | 'correction'
  revision: number
  payloadHash: string
  cellType: string
  cellHour: number
}

// No alias repeats a column's name: ClickHouse would take it for the column in WHERE.
const selectHistory = `SELECT hex(identity) AS key, log, partition, offset, verdict AS kind, revision,
     hex(payload_hash) AS payloadHash, if(type = '', superseded_type, type) AS cellType,
     toUnixTimestamp(if(type = '', superseded_hour, hour)) AS cellHour
   FROM usage_ledger`

type Histories = Map<string, HistoryEntry[]>

/**
 * Accepted events and corrections under the given identities, in whatever log and partition. The copy by identity says
 * where they lie; what counts is the ledger itself, whose row says that all it stands for is written.
 */
export async function findHistories(
  clickHouse: ClickHouse,
  identities: readonly Buffer[],
): Promise<Histories> {
  const found: Histories = new Map()
  for (let at = 0; at < identities.length; at += identitiesPerQuery) {
    const some = inIdentities(identities.slice(at, at + identitiesPerQuery))
    const rows = await clickHouse.query<Row>(
      `${selectHistory} WHERE (log, partition, offset) IN (
         SELECT log, partition, offset FROM usage_ledger_by_identity
         WHERE verdict IN ('accepted', 'correction') AND ${some})`,
    )
    addRows(found, rows)
  }
  return found
}

/**
 * The same of the ledger alone, for when its copy by identity is not to be trusted: it reads every row from the first
 * original on.
 */
export async function scanHistories(
  clickHouse: ClickHouse,
  identities: readonly Buffer[],
  from: { log: number; partition: number; offset: bigint },
): Promise<Histories> {
  const found: Histories = new Map()
  for (let at = 0; at < identities.length; at += identitiesPerQuery) {
    const some = inIdentities(identities.slice(at, at + identitiesPerQuery))
    const rows = await clickHouse.query<Row>(
      `${selectHistory} FINAL WHERE verdict IN ('accepted', 'correction') AND log >= {log:UInt16}
         AND (log > {log:UInt16} OR partition != {partition:UInt16} OR offset >= {offset:UInt64}) AND ${some}`,
      { log: from.log, partition: from.partition, offset: from.offset.toString() },
      { timeoutMs: 600_000 },
    )
    addRows(found, rows)
  }
  return found
}

function addRows(found: Histories, rows: readonly Row[]): void {
  for (const row of rows) {
    const key = identityText(Buffer.from(row.key, 'hex'))
    const entries = found.get(key) ?? []
    entries.push(entryOf(row))
    found.set(key, entries)
  }
}

const entryOf = (row: Row): HistoryEntry => ({
  place: { log: row.log, partition: row.partition, offset: BigInt(row.offset) },
  verdict: row.kind,
  revision: row.revision,
  payloadHash: Buffer.from(row.payloadHash, 'hex'),
  cell: { type: row.cellType, hourSeconds: row.cellHour },
})
