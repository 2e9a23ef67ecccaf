import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { encodeRows } from '../rows.ts'
import { copyTable, insertFromLedger } from './copy-rows.ts'
import { readDecisions } from './ledger-decisions.ts'
import type { OffsetRange } from './ledger-order.ts'
import { type LogSource, type LogSources, openLogSource } from './log-source.ts'
import { countLost, type LostRange } from './lost-ranges.ts'
import { lostWithin, removeLostRows } from './lost-rows.ts'
import { offsetParams, ofOffsets } from './offset-range.ts'
import { throttled } from './progress.ts'
import { applyStaged, compareStaged, dropStaged, type StagedTable, stageTable } from './staged-table.ts'

export type RepairSources = LogSources & { readonly clickHouse: ClickHouse; tell(line: string): void }

export type TableRepair = { readonly table: string; readonly missing: bigint; readonly wrong: bigint }

export type RepairReport = {
  /** What was found in each table, and repaired unless it was a dry run. */
  readonly tables: readonly TableRepair[]
  /** Rows that are still not as they should be; none after a repair. */
  readonly left: bigint
  /** Offsets that the ledger does not have and that are not lost: the aggregator consumes them, no repair writes them. */
  readonly withoutLedger: bigint
  /** Offsets, but for those recorded as lost, whose raw events Kafka no longer has: they were not looked at. */
  readonly expired: bigint
}

/** Both are made out of the ledger alone. */
const copies = ['identity_copy', 'cell_copy'] as const
/** These only Kafka has. */
const fromLog = ['usage_events', 'usage_corrections'] as const

/**
 * Makes what the range should be beside the tables, compares, and brings the difference over. The ledger's verdicts are
 * taken as they are, and the ledger itself is never written.
 */
export async function repair(
  sources: RepairSources,
  range: OffsetRange,
  options: { dryRun: boolean },
): Promise<RepairReport> {
  const { clickHouse } = sources
  const source = await openLogSource(sources, range.log)
  const kept = source.kept.get(range.partition)
  const readable = {
    first: larger(range.first, kept?.earliest ?? range.last + 1n),
    last: smaller(range.last, (kept?.end ?? 0n) - 1n),
  }
  const hasRecords = readable.first <= readable.last
  const staged: StagedTable[] = []
  try {
    for (const kind of copies) staged.push(await stageCopy(clickHouse, kind, range))
    const logRange = { ...range, ...readable }
    const ofLog: StagedTable[] = []
    if (hasRecords) {
      for (const table of fromLog) ofLog.push(await stageTable(clickHouse, table, suffix))
      staged.push(...ofLog)
      await stageRecords(sources, source, logRange)
    }
    const rangeOf = (each: StagedTable): OffsetRange => (ofLog.includes(each) ? logRange : range)
    const tables: TableRepair[] = []
    let left = 0n
    for (const each of staged) {
      const found = await compareStaged(clickHouse, each, rangeOf(each))
      tables.push({ table: each.table, ...found })
      const differs = found.missing + found.wrong
      if (differs > 0n && !options.dryRun) await applyStaged(clickHouse, each, rangeOf(each))
      if (differs === 0n) continue
      const after = options.dryRun ? found : await compareStaged(clickHouse, each, rangeOf(each))
      left += after.missing + after.wrong
    }
    const lost = await lostWithin(clickHouse, range)
    for (const { table, rows } of await removeLostRows(clickHouse, range, lost, options)) {
      tables.push({ table, missing: 0n, wrong: rows })
      if (options.dryRun) left += rows
    }
    const notLost = ({ first, last }: LostRange) =>
      first > last ? 0n : last - first + 1n - countLost(first, last + 1n, lost)
    return {
      tables,
      left,
      withoutLedger: notLost(range) - (await countLedger(clickHouse, range, lost)),
      expired: notLost(range) - notLost(readable),
    }
  } finally {
    for (const each of staged) await dropStaged(clickHouse, each).catch(() => {})
  }
}

const suffix = 'repair'

async function stageCopy(
  clickHouse: ClickHouse,
  kind: (typeof copies)[number],
  range: OffsetRange,
): Promise<StagedTable> {
  const table = copyTable(kind)
  const staged = await stageTable(clickHouse, table.table, suffix)
  await clickHouse.command(insertFromLedger(table, ofOffsets, staged.staged), offsetParams(range), {
    timeoutMs: 600_000,
  })
  return staged
}

/** Raw events and corrections of the range, out of Kafka's records and the ledger's verdicts. */
async function stageRecords(
  { clickHouse, tell }: RepairSources,
  source: LogSource,
  { log, partition, first, last }: OffsetRange,
): Promise<void> {
  const progress = throttled(tell)
  for await (const batch of source.read(partition, first, last + 1n)) {
    const decisions = await readDecisions(clickHouse, { log, partition }, batch)
    for (const { table, columns, bytes } of encodeRows(log, partition, decisions).evidence)
      if (fromLog.some((name) => name === table))
        await clickHouse.insertNative(`${table}_${suffix}`, columns, [bytes], { timeoutMs: 120_000 })
    const at = batch.at(-1)?.offset ?? first
    progress(`read ${source.topic}/${partition} up to ${at} of ${last}`)
  }
}

/** Offsets that have their row, but for those recorded as lost. */
async function countLedger(
  clickHouse: ClickHouse,
  range: OffsetRange,
  lost: readonly LostRange[],
): Promise<bigint> {
  const others = lost.map(({ first, last }) => `AND offset NOT BETWEEN ${first} AND ${last}`)
  const [row] = await clickHouse.query<{ present: string }>(
    `SELECT uniqExact(offset) AS present FROM usage_ledger WHERE ${ofOffsets} ${others.join(' ')}`,
    offsetParams(range),
    { timeoutMs: 600_000 },
  )
  return BigInt(row?.present ?? 0)
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const smaller = (a: bigint, b: bigint): bigint => (a > b ? b : a)
