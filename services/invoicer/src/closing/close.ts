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
import { metersOf } from '../pricing/rate-plan.ts'
import { readPeriod } from './billed-usage.ts'
import type { Completeness } from './completeness.ts'
import { type Draft, draftInvoice, type Refusal } from './draft.ts'
import { type DuePeriod, duePeriods, groupByPeriod } from './due.ts'
import { readBilledSubscriptions, readCatalogueRevision } from './due-store.ts'
import { checkLedgerGaps, type OffsetRange } from './ledger-gaps.ts'
import { readNewestMeters } from './meters.ts'
import { CloseStopped } from './stop.ts'
import { storeBatch } from './store.ts'
import { clipAll } from './usage.ts'
import { createCompletenessReader } from './watermark-store.ts'

export type ClosingDeps = { pool: Pool; clickHouse: ClickHouse; clock: Clock; log: Log }

export type CloseRequest = {
  tenant: string
  /** Periods that have ended by then, grace included. */
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
  const endedBy = until - graceMicros
  const subscriptions = await readBilledSubscriptions(deps.pool, tenant, { startedBefore: endedBy })
  const groups = groupByPeriod(subscriptions.flatMap((each) => duePeriods(each, endedBy)))
  const result: CloseResult = { invoices: [], drafts: [], refused: [], waiting: undefined }
  const needed = (groups.at(-1)?.period.end ?? -Infinity) + graceMicros
  if (groups.length === 0) return result

  const gate = await awaitWatermarks(deps, request, needed)
  const complete = groups.filter(({ period }) => period.end + graceMicros <= gate.completeUntil)
  const waiting = groups.slice(complete.length)
  if (waiting.length > 0) {
    const periods = waiting.reduce((sum, { due }) => sum + due.length, 0)
    result.waiting = { periods, behind: gate.behind }
    deps.log.warn({ tenant, periods, behind: gate.behind }, 'Periods wait for their usage to be complete')
  }
  if (complete.length === 0) return result
  try {
    const lost = await checkLedgerGaps(deps.clickHouse, gate.cut)
    const held = new Set<string>()
    for (const { due } of complete) {
      // A subscription whose earlier period was refused keeps its order: the later ones wait with it.
      const open = due.filter(({ subscription }) => !held.has(subscription.key))
      const { drafts, refused } = await draftGroup(deps, tenant, open, gate)
      for (const { due, code, reason } of refused) {
        held.add(due.subscription.key)
        deps.log.error({ tenant, subscription: due.subscription.key, code, reason }, 'A period stays open')
      }
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

/** Rates all periods of one group, whose start and end are the same. */
async function draftGroup(
  { pool, clickHouse }: ClosingDeps,
  tenant: string,
  due: readonly DuePeriod[],
  { cut }: Completeness,
): Promise<{ drafts: Draft[]; refused: Refusal[] }> {
  const period = due[0]?.period
  if (!period) return { drafts: [], refused: [] }
  const keys = [...new Set(due.flatMap(({ subscription }) => metersOf(subscription.plan.plan)))]
  const meters = await readNewestMeters(pool, tenant, keys)
  const clipped = due.map((each) => ({ each, mappings: clipAll(each.subscription.mappings, period) }))
  const readings = await readPeriod(clickHouse, {
    tenant,
    meters: [...meters.values()],
    period,
    cut,
    mappings: clipped.flatMap(({ mappings }) => mappings),
  })
  const drafts: Draft[] = []
  const refused: Refusal[] = []
  for (const { each, mappings } of clipped) {
    const usage = metersOf(each.subscription.plan.plan).flatMap((key) => {
      const meter = meters.get(key)
      const reading = readings.get(key)
      return meter && reading ? [{ meter, ...reading(mappings) }] : []
    })
    const draft = draftInvoice(each, mappings, usage)
    if ('code' in draft) refused.push(draft)
    else drafts.push(draft)
  }
  return { drafts, refused }
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
