import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { type Cut, formatCut } from '@tidemark/schemas/cut.ts'
import { type LogSource, type LogSources, openLogSource } from '../log-source.ts'
import { readProcessedCut } from '../processed-cut.ts'
import { copyBase } from './base.ts'
import { compareLedgers, compareTables, type LedgerComparison, type TableComparison } from './comparison.ts'
import { assertAtomic, besideTables, dropBeside, makeTables, readMarks } from './rebuilt-tables.ts'
import { replayLog } from './replay.ts'
import { swapTables } from './swap.ts'

export type RebuildSources = LogSources & {
  readonly clickHouse: ClickHouse
  tell(line: string): void
}

export type RebuildOutcome =
  /** An earlier rebuild had broken off while it swapped; it is finished now. */
  | { readonly kind: 'finished' }
  | {
      readonly kind: 'compared' | 'swapped' | 'refused'
      readonly cut: Cut
      readonly tables: readonly TableComparison[]
      readonly ledger: LedgerComparison
    }

/**
 * Makes all tables of usage anew, beside those in use: from Kafka where it still has the log, decided anew, and from the
 * tables themselves below that. Then compares, and swaps if asked to. The old tables stay beside until dropBeside.
 */
export async function rebuild(
  sources: RebuildSources,
  options: { yes: boolean; force: string | undefined },
): Promise<RebuildOutcome> {
  const { clickHouse, tell } = sources
  await assertAtomic(clickHouse)
  const marks = await readMarks(clickHouse)
  if (marks.inUse.length > 0) {
    tell(`finishing a rebuild that broke off: ${marks.beside.length} tables are still to be swapped`)
    await swapTables(clickHouse, marks.cut, tell)
    return { kind: 'finished' }
  }
  await dropBeside(clickHouse)
  const cut = await readProcessedCut(clickHouse)
  tell(`rebuilding up to ${formatCut(cut)}`)
  await makeTables(clickHouse, cut)
  await fillTables(sources, cut)
  tell('comparing')
  const tables = await compareTables(clickHouse, cut)
  const ledger = await compareLedgers(clickHouse, cut)
  const found = { cut, tables, ledger }
  if (options.yes && (!changesVerdicts(ledger) || options.force !== undefined)) {
    await swapTables(clickHouse, cut, tell)
    return { kind: 'swapped', ...found }
  }
  await dropBeside(clickHouse)
  return { kind: options.yes ? 'refused' : 'compared', ...found }
}

/** Rows that the ledger lacked may come back; what it said must not become something else unnoticed. */
const changesVerdicts = ({ changed, removed }: LedgerComparison): boolean => changed > 0n || removed > 0n

async function fillTables(sources: RebuildSources, cut: Cut): Promise<void> {
  const logs = [...new Set(cut.map(({ log }) => log))].sort((a, b) => a - b)
  const opened = new Map<number, LogSource>()
  for (const log of logs) opened.set(log, await openLogSource(sources, log))
  const base = cut.map((entry) => {
    const kept = opened.get(entry.log)?.kept.get(entry.partition)
    // A topic that is gone has nothing; one that retention has emptied begins at its end.
    const from = kept === undefined || kept.earliest > entry.offset ? entry.offset : kept.earliest
    return { ...entry, offset: from }
  })
  await copyBase(sources.clickHouse, base, sources.tell)
  const beside = besideTables(sources.clickHouse)
  for (const [log, source] of opened) {
    const ends = cut.filter((entry) => entry.log === log && source.kept.has(entry.partition))
    await replayLog(
      sources,
      beside,
      source,
      log,
      new Map(ends.map(({ partition, offset }) => [partition, offset])),
    )
  }
}
