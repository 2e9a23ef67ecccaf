import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { formatCut } from '@tidemark/schemas/cut.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { recordChanges } from '../history.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Draft, Refusal } from '../invoicing/compose.ts'
import { readBilledSubscriptions, readKeysToBill } from '../invoicing/store.ts'
import type { TaxSource } from '../invoicing/tax.ts'
import { readCatalogueRevision } from './catalogue-revision.ts'
import type { Completeness } from './completeness.ts'
import { draftGroup } from './draft-group.ts'
import { dueInvoices, groupDue } from './due.ts'
import { checkLedgerGaps, type OffsetRange } from './ledger-gaps.ts'
import { createProgress } from './progress.ts'
import { CloseStopped } from './stop.ts'
import { storeBatch } from './store.ts'
import { createCompletenessReader } from './watermark-store.ts'

export type ClosingDeps = {
  pool: Pool
  clickHouse: ClickHouse
  clock: Clock
  log: Log
  tax: TaxSource
  /** The same answers for a dry run, which keeps none. */
  estimatedTax: TaxSource
}

export type CloseRequest = {
  tenant: string
  /** What is due by then: periods that have ended, with the grace where they have usage, and fees in advance. */
  until: Micros1970
  graceMs: number
  /** Computes everything and stores nothing. */
  dryRun: boolean
  /** How long to wait for watermarks that are a moment behind. */
  gateWaitMs: number
  /** Invoices per transaction. */
  batchSize: number
  actor: string
}

export type CloseResult = {
  /** Opened now; none in a dry run. */
  invoices: Invoice[]
  /** What a dry run would open. */
  drafts: Draft[]
  refused: Refusal[]
  /** Periods whose usage may not be complete yet, and what is behind. */
  waiting: { periods: number; behind: string } | undefined
}

/**
 * Closes every period of a tenant that has ended and is complete. Closing again finds nothing to do; two that close at
 * once open each invoice once.
 * @throws CloseStopped when usage is not what the ledger accepted; what was stored before it stays
 */
export async function closePeriods(deps: ClosingDeps, request: CloseRequest): Promise<CloseResult> {
  const { tenant, until, graceMs } = request
  const graceMicros = graceMs * 1000
  const revision = await readCatalogueRevision(deps.pool, tenant)
  const keys = await readKeysToBill(deps.pool, tenant, until)
  const subscriptions = await readBilledSubscriptions(deps.pool, tenant, keys)
  const groups = groupDue(subscriptions.flatMap((each) => dueInvoices(each, until, graceMicros)))
  const result: CloseResult = { invoices: [], drafts: [], refused: [], waiting: undefined }
  if (groups.length === 0) return result

  const needed = (group: (typeof groups)[number]) =>
    group.waitsForUsage ? group.dueFrom + graceMicros : -Infinity
  const gate = await awaitWatermarks(deps, request, Math.max(...groups.map(needed)))
  const waiting = groups.filter((group) => needed(group) > gate.completeUntil)
  const progress = createProgress(deps.pool, request)
  if (waiting.length > 0) {
    const periods = waiting.reduce((sum, { due }) => sum + due.length, 0)
    result.waiting = { periods, behind: gate.behind }
    deps.log.warn({ tenant, periods, behind: gate.behind }, 'Periods wait for their usage to be complete')
  }
  if (groups.length === waiting.length) return result
  try {
    const lost = await checkLedgerGaps(deps.clickHouse, gate.cut)
    for (const group of groups) {
      // A subscription whose earlier period waits or was refused keeps its order: the later ones wait with it.
      const open = progress.open(group.due)
      if (waiting.includes(group)) {
        progress.hold(open)
        continue
      }
      const due = open.map(progress.withRedemptions)
      const { cut } = gate
      const { drafts, refused } = await draftGroup(
        { ...deps, tax: request.dryRun ? deps.estimatedTax : deps.tax },
        { tenant, cut, spentOf: progress.spentOf },
        { ...group, due },
      )
      for (const { due: held, code, reason } of refused)
        deps.log.error({ tenant, subscription: held.subscription.key, code, reason }, 'A period stays open')
      progress.hold(refused.map((each) => each.due))
      progress.add(drafts)
      result.refused.push(...refused)
      if (request.dryRun) result.drafts.push(...drafts)
      else result.invoices.push(...(await storeGroup(deps, request, drafts, gate, lost, revision)))
    }
  } catch (error) {
    if (error instanceof CloseStopped) await recordStop(deps, request, error)
    throw error
  }
  return result
}

const pollMs = 200

/** A mark is often a moment behind, while others are busy: that is worth a short wait, not a refusal. */
async function awaitWatermarks(
  { clickHouse, pool }: ClosingDeps,
  { tenant, gateWaitMs }: CloseRequest,
  needed: Micros1970,
): Promise<Completeness> {
  const readCompleteness = createCompletenessReader({ clickHouse, pool }, tenant)
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const gate = await readCompleteness()
    if (gate.completeUntil >= needed || waitedMs >= gateWaitMs) return gate
    await pause(pollMs)
  }
}

async function storeGroup(
  { pool, clock, log }: ClosingDeps,
  { tenant, actor, batchSize }: CloseRequest,
  drafts: readonly Draft[],
  { cut }: Completeness,
  lost: readonly OffsetRange[],
  revision: bigint,
): Promise<Invoice[]> {
  const invoices: Invoice[] = []
  for (let at = 0; at < drafts.length; at += batchSize) {
    const batch = drafts.slice(at, at + batchSize)
    const stored = await storeBatch(pool, {
      tenant,
      actor,
      drafts: batch,
      cut,
      lost,
      revision,
      now: clock.nowMicros(),
    })
    const period = batch[0] && formatPeriod(batch[0].due.period)
    log.info(
      { tenant, period, opened: stored.length, skipped: batch.length - stored.length, cut: formatCut(cut) },
      'A batch of periods is closed',
    )
    invoices.push(...stored)
  }
  return invoices
}

async function recordStop(
  { pool, clock, log }: ClosingDeps,
  { tenant, actor }: CloseRequest,
  stop: CloseStopped,
): Promise<void> {
  log.error({ tenant, code: stop.code, evidence: stop.evidence }, stop.message)
  const change = {
    tenant,
    actor,
    action: 'close.stopped',
    entity: 'close',
    entityKey: stop.code,
    after: { message: stop.message, evidence: stop.evidence },
  }
  await recordChanges(pool, [change], clock.nowMicros())
}
