import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { readKeptFrom } from '../../retention/expire.ts'
import type { CheckOrder } from '../ledger-order.ts'
import { readProcessedCut } from '../processed-cut.ts'
import { throttled } from '../progress.ts'
import { type CheckTotals, checkLedger, emptyTotals } from './check.ts'
import { type CheckReport, createCheckReport, differenceLines, totalLines } from './report.ts'

export type CheckRun = {
  readonly clickHouse: ClickHouse
  readMeters(): Promise<readonly MeterVersion[]>
  /** For the person who waits; not part of the result. */
  tell(line: string): void
}

export type CheckResult = {
  readonly totals: CheckTotals
  readonly report: CheckReport
  readonly lines: string[]
}

const namedPerKind = 20

/** Checks everything below the watermarks of this moment, and says how far it is. */
export async function runCheck(run: CheckRun, order: CheckOrder): Promise<CheckResult> {
  const cut = await readProcessedCut(run.clickHouse)
  const fromHour = keptFrom(order.fromHour, await readKeptFrom(run.clickHouse))
  const totals = emptyTotals(cut)
  const report = createCheckReport(namedPerKind)
  const progress = throttled(run.tell)
  for await (const { part, done, of, differences } of checkLedger(run, { ...order, cut, fromHour }, totals)) {
    report.add(differences)
    progress(
      `${part}: ${done}${of === undefined ? '' : ` of ${of}`} slices, ${report.total()} differences so far`,
    )
  }
  return { totals, report, lines: [...totalLines(totals), ...differenceLines(report)] }
}

/** Of what retention has removed there is nothing to compare. */
const keptFrom = (asked: number | undefined, kept: number | undefined): number | undefined =>
  kept === undefined ? asked : Math.max(kept, asked ?? 0)
