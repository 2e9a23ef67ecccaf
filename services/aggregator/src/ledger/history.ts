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

/**
 * Accepted events and corrections under the given identities, in whatever log and partition. The copy by identity says
 * where they lie; what counts is the ledger itself, whose row says that all it stands for is written.
 */
export async function findHistories(
  clickHouse: ClickHouse,
  identities: readonly Buffer[],
): Promise<Map<string, HistoryEntry[]>> {
  const found = new Map<string, HistoryEntry[]>()
  for (let at = 0; at < identities.length; at += identitiesPerQuery) {
    // No alias repeats a column's name: ClickHouse would take it for the column in WHERE.
    const rows = await clickHouse.query<Row>(
      `SELECT hex(identity) AS key, log, partition, offset, verdict AS kind, revision, hex(payload_hash) AS payloadHash,
         if(type = '', superseded_type, type) AS cellType,
         toUnixTimestamp(if(type = '', superseded_hour, hour)) AS cellHour
       FROM usage_ledger WHERE (log, partition, offset) IN (
         SELECT log, partition, offset FROM usage_ledger_by_identity
         WHERE verdict IN ('accepted', 'correction') AND ${inIdentities(identities.slice(at, at + identitiesPerQuery))})`,
    )
    for (const row of rows) {
      const key = identityText(Buffer.from(row.key, 'hex'))
      const entries = found.get(key) ?? []
      entries.push(entryOf(row))
      found.set(key, entries)
    }
  }
  return found
}

const entryOf = (row: Row): HistoryEntry => ({
  place: { log: row.log, partition: row.partition, offset: BigInt(row.offset) },
  verdict: row.kind,
  revision: row.revision,
  payloadHash: Buffer.from(row.payloadHash, 'hex'),
  cell: { type: row.cellType, hourSeconds: row.cellHour },
})
