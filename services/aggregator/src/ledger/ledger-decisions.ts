import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { decideCorrection, type HistoryEntry } from '../deduplication/correction.ts'
import { type Decision, type DecodedRecord, identityText, type Verdict } from '../deduplication/decide.ts'
import { comparePlaces, type LogPartition, type Place } from '../place.ts'
import { readingIdentity } from '../rows.ts'
import { scanHistories } from './history.ts'

type Row = {
  offset: string
  said: Verdict
  identity: string
  hash: string
  appendMicros: string
  firstLog: number
  firstPartition: number
  firstOffset: string
  supersededType: string
  supersededHour: number
}

/**
 * What the ledger decided of records of one partition, as the loop would have it: nothing is decided anew. Records without
 * a row of the ledger are left out.
 * @throws Failure `another_log` where a record is not the one that the ledger knows at its offset
 */
export async function readDecisions(
  clickHouse: ClickHouse,
  partition: LogPartition,
  batch: readonly DecodedRecord[],
): Promise<Decision[]> {
  const rows = await readRows(clickHouse, partition, batch)
  const histories = await readHistories(clickHouse, batch, rows)
  return batch.flatMap((record): Decision[] => {
    const row = rows.get(record.offset)
    if (row === undefined) return []
    assertSameRecord(partition, record, row)
    const first = row.firstLog === 0 ? undefined : firstOf(row)
    const decision = { record, verdict: row.said, first, rejection: undefined, supersedes: undefined }
    if (row.said !== 'correction' || record.reading.kind !== 'event') return [decision]
    const place = { ...partition, offset: record.offset }
    const history = histories.get(identityText(record.reading.identity)) ?? []
    const ruling = decideCorrection(record.reading.event, place, history)
    if (ruling.verdict !== 'correction' || ruling.supersedes.cell.type !== row.supersededType)
      throw new Failure(
        `log ${place.log}, partition ${place.partition}, offset ${place.offset}: the ledger calls it a correction, but ` +
          'what it corrects is not there. Find out what became of the ledger: npm run ledger -- check',
        { code: 'history_missing', retryable: false },
      )
    return [{ ...decision, supersedes: ruling.supersedes }]
  })
}

/** What lies under the identities of the batch's corrections, from the first of their originals on. */
async function readHistories(
  clickHouse: ClickHouse,
  batch: readonly DecodedRecord[],
  rows: ReadonlyMap<bigint, Row>,
): Promise<ReadonlyMap<string, readonly HistoryEntry[]>> {
  const corrections = batch.filter(({ offset }) => rows.get(offset)?.said === 'correction')
  const originals = corrections
    .flatMap(({ offset }) => rows.get(offset) ?? [])
    .map(firstOf)
    .sort(comparePlaces)
  const [from] = originals
  if (from === undefined) return new Map()
  return scanHistories(
    clickHouse,
    corrections.map(({ reading }) => readingIdentity(reading)),
    from,
  )
}

async function readRows(
  clickHouse: ClickHouse,
  partition: LogPartition,
  batch: readonly DecodedRecord[],
): Promise<Map<bigint, Row>> {
  const [first] = batch
  const last = batch.at(-1)
  if (first === undefined || last === undefined) return new Map()
  const rows = await clickHouse.query<Row>(
    `SELECT offset, verdict AS said, hex(identity) AS identity, hex(payload_hash) AS hash,
       toString(toUnixTimestamp64Micro(append_time)) AS appendMicros, first_log AS firstLog,
       first_partition AS firstPartition, first_offset AS firstOffset, superseded_type AS supersededType,
       toUnixTimestamp(superseded_hour) AS supersededHour
     FROM usage_ledger FINAL
     WHERE log = {log:UInt16} AND partition = {partition:UInt16}
       AND offset >= {first:UInt64} AND offset <= {last:UInt64}`,
    { ...partition, first: first.offset.toString(), last: last.offset.toString() },
    { timeoutMs: 120_000 },
  )
  return new Map(rows.map((row) => [BigInt(row.offset), row]))
}

const firstOf = (row: Row): Place => ({
  log: row.firstLog,
  partition: row.firstPartition,
  offset: BigInt(row.firstOffset),
})

function assertSameRecord({ log, partition }: LogPartition, record: DecodedRecord, row: Row): void {
  const { reading } = record
  const hash = reading.kind === 'event' ? reading.event.payloadHash : Buffer.alloc(16)
  const isSame =
    readingIdentity(reading).equals(Buffer.from(row.identity, 'hex')) &&
    record.appendTimeMicros === Number(row.appendMicros) &&
    hash.equals(Buffer.from(row.hash, 'hex'))
  if (isSame) return
  throw new Failure(
    `log ${log}, partition ${partition}, offset ${record.offset}: Kafka has another record there than the ledger knows. ` +
      'Nothing is written: this is not the log that the ledger was made of',
    { code: 'another_log', retryable: false },
  )
}
