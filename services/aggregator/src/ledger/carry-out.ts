import type { Log } from '@tidemark/infra/process/log.ts'
import type { Clients } from '../clients.ts'
import type { AggregatorConfig } from '../config.ts'
import { createMeterStore } from '../metering/meter-store.ts'
import { rebuildingLease, withLease } from '../sealing/lease.ts'
import { runCheck } from './check/run-check.ts'
import { cutOver } from './cut-over.ts'
import type { LedgerOrder, LostOrder, OffsetRange } from './ledger-order.ts'
import { lostHeading, lostLines, operator, planLost, recordLost } from './lost-record.ts'
import { type RebuildOutcome, rebuild } from './rebuild/rebuild.ts'
import { dropBeside } from './rebuild/rebuilt-tables.ts'
import { repair } from './repair.ts'
import { repairSealed } from './repair-sealed.ts'

export type LedgerRun = Omit<Clients, 'close'> & {
  readonly config: AggregatorConfig
  readonly log: Log
  /** The result. */
  print(line: string): void
  /** What the person should know meanwhile. */
  tell(line: string): void
}

/** Carries an order out. Resolves with the exit code: 0 when all is well, 1 when something differs or was refused. */
export async function carryOut(order: LedgerOrder, run: LedgerRun): Promise<number> {
  const sources = { ...run, readMeters: createMeterStore(run.pool).all }
  switch (order.kind) {
    case 'check': {
      const { lines, report } = await runCheck(sources, order)
      lines.forEach(run.print)
      return report.total() === 0 ? 0 : 1
    }
    case 'lost':
      return carryOutLost(order, run)
    case 'lost-list': {
      const lines = await lostLines(run.clickHouse)
      if (lines.length === 0) run.tell('Nothing is recorded as lost.')
      else [lostHeading, ...lines].forEach(run.print)
      return 0
    }
    case 'repair':
      return underLease(run, () => carryOutRepair(order, run))
    case 'repair-sealed': {
      const { differing, repaired, unproved } = await repairSealed(sources, order)
      run.print(`${differing} sealed hours differ from their raw events; ${repaired} are written again`)
      if (unproved > 0)
        run.tell(
          `${unproved} are left: their raw events are not those of the ledger. Repair these first: npm run ledger -- check`,
        )
      return differing === repaired ? 0 : 1
    }
    case 'rebuild':
      return underLease(run, () => carryOutRebuild(order, run))
    case 'cut-over':
      return underLease(run, async () => {
        const by = order.by ?? operator()
        const { log, partitions } = await cutOver(
          { ...run, prefix: run.config.TIDEMARK_PREFIX },
          { ...order, by },
        )
        run.print(`Log ${log} is open, with ${partitions} partitions.`)
        run.print(
          `End the aggregators, set USAGE_LOG=${log} for aggregator and ingest, then start them, the aggregator first.`,
        )
        return 0
      })
  }
}

async function carryOutLost(order: LostOrder, run: LedgerRun): Promise<number> {
  const { lines, objections } = await planLost({ ...run, prefix: run.config.TIDEMARK_PREFIX }, order)
  lines.forEach(run.print)
  for (const objection of objections) run.tell(`Refused: ${objection}`)
  if (objections.length > 0 && order.force === undefined) {
    run.tell('Nothing is recorded. If they are lost all the same, say why: --force "<why>"')
    return 1
  }
  if (!order.yes) {
    run.tell('Nothing is recorded without --yes.')
    return 1
  }
  await recordLost(run.clickHouse, order, Date.now())
  run.print('Recorded. Start the aggregator, and check: npm run ledger -- check')
  return 0
}

async function carryOutRepair(order: OffsetRange & { dryRun: boolean }, run: LedgerRun): Promise<number> {
  const { tables, left, withoutLedger, expired } = await repair(
    { ...run, prefix: run.config.TIDEMARK_PREFIX },
    order,
    order,
  )
  for (const { table, missing, wrong } of tables)
    run.print(`${table}: ${missing} rows are missing, ${wrong} are wrong`)
  if (expired > 0n)
    run.tell(
      `Kafka no longer has ${expired} of the offsets: raw events and corrections there were not looked at`,
    )
  if (withoutLedger > 0n)
    run.tell(
      `The ledger has no row for ${withoutLedger} of the offsets: the aggregator consumes them when it starts again`,
    )
  if (order.dryRun) run.tell('Nothing is written: this was a dry run.')
  else run.print(left === 0n ? 'All of it is as the ledger says.' : `${left} rows still differ: run it again`)
  return left === 0n && expired === 0n && withoutLedger === 0n ? 0 : 1
}

async function carryOutRebuild(
  order: { yes: boolean; force: string | undefined },
  run: LedgerRun,
): Promise<number> {
  const prefix = run.config.TIDEMARK_PREFIX
  const outcome = await rebuild({ ...run, prefix }, order)
  if (outcome.kind !== 'finished') comparisonLines(outcome).forEach(run.print)
  if (outcome.kind === 'refused') {
    run.tell(
      'Nothing is swapped: verdicts that invoices may rest on would change. To swap all the same: --force "<why>"',
    )
    return 1
  }
  if (outcome.kind === 'compared') {
    run.tell('Nothing is swapped without --yes.')
    return 0
  }
  run.print('The tables are swapped.')
  if (outcome.kind === 'swapped' && order.force !== undefined)
    run.tell(
      'End every aggregator, remove its state directory and start it again: it remembers the verdicts of before',
    )
  const everything = { fromHour: undefined, toHour: undefined, tenant: undefined, payloads: false }
  const { lines, report } = await runCheck({ ...run, readMeters: createMeterStore(run.pool).all }, everything)
  lines.forEach(run.print)
  if (report.total() > 0) {
    run.tell('The old tables are kept, under their names with _rebuilt behind them, until the next rebuild')
    return 1
  }
  await dropBeside(run.clickHouse)
  return 0
}

function comparisonLines({ tables, ledger }: Exclude<RebuildOutcome, { kind: 'finished' }>): string[] {
  return [
    ...tables.map(({ table, rows, rebuilt, same }) =>
      same ? `${table}: ${rows} rows, the same` : `${table}: ${rows} rows, rebuilt ${rebuilt}, not the same`,
    ),
    `the ledger: ${ledger.added} offsets added, ${ledger.removed} removed, ${ledger.changed} verdicts changed`,
    ...ledger.examples.map((text) => `  ${text}`),
  ]
}

/** One command that writes at a time. */
async function underLease(run: LedgerRun, work: () => Promise<number>): Promise<number> {
  let code = 1
  const isFree = await withLease(run.pool, rebuildingLease, async () => {
    code = await work()
  })
  if (!isFree) run.tell('Another repair or rebuild is at work: wait until it has ended')
  return code
}
