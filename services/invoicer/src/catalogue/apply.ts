import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { planChanges } from './changes.ts'
import { catalogueFaults } from './faults.ts'
import type { Known } from './known.ts'
import { readKnown } from './known-store.ts'
import { readCatalogue } from './shape.ts'
import { lockCatalogue, storeChanges } from './store.ts'
import { type ChangeSummary, summaryOf } from './summary.ts'

/** A kind that has a revision of its own, and the key of the one that is changed. */
export type Named = { kind: 'seller' } | { kind: 'plans' | 'addOns' | 'coupons' | 'customers'; key: string }

type ApplyRequest = {
  tenant: string
  actor: string
  body: unknown
  dryRun: boolean
  /** The one thing that the body holds, when it holds only one. */
  named?: Named
  /** The revision that the writer has read, of what is named or else of the whole catalogue; by default any. */
  expected?: bigint | undefined
}
export type ApplyResult = { dryRun: boolean; changes: ChangeSummary[]; unchanged: number }

/** With the revision after it of what is named, or else of the whole catalogue. */
export type Applied = { result: ApplyResult; revision: bigint }

/**
 * Checks all of a catalogue and applies it whole, in one transaction, or refuses it whole; a dry run stops before it
 * writes. Applying the same again changes nothing.
 * @throws HttpProblem 422 `invalid_catalogue` with every fault in `errors`; 409 `revision_conflict` when somebody else
 * has changed meanwhile what the writer expects
 */
export function applyCatalogue(
  pool: Pool,
  clock: Clock,
  { tenant, actor, body, dryRun, named, expected }: ApplyRequest,
): Promise<Applied> {
  const read = readCatalogue(body)
  if ('faults' in read) throw invalidCatalogue(read.faults)
  const { catalogue } = read
  if (catalogue.meters && !dryRun)
    throw invalidCatalogue([
      { path: 'meters', reason: 'meters are kept by the aggregator: send each to its POST /v1/meters first' },
    ])
  return transaction(pool, async (queryable) => {
    const whole = await lockCatalogue(queryable, tenant)
    const now = clock.nowMicros()
    const known = await readKnown(queryable, tenant, catalogue, now)
    const revision = named ? revisionOf(named, known) : whole
    checkRevision(expected, revision, named)
    const faults = catalogueFaults(catalogue, known)
    if (faults.length > 0) throw invalidCatalogue(faults)
    const planned = planChanges(catalogue, known)
    const changes = summaryOf(planned)
    if (!dryRun) await storeChanges(queryable, tenant, planned, actor, now)
    const isChanged = !dryRun && changes.length > 0
    return {
      result: { dryRun, changes, unchanged: planned.unchanged },
      revision: isChanged ? revision + 1n : revision,
    }
  })
}

/**
 * Two writers at once: one wins, the other is told.
 * @throws HttpProblem 409 `revision_conflict` unless the revision is the expected one
 */
export function checkRevision(expected: bigint | undefined, current: bigint, named?: Named): void {
  if (expected === undefined || expected === current) return
  const what =
    named === undefined ? 'the catalogue' : named.kind === 'seller' ? 'the seller' : `"${named.key}"`
  throw new HttpProblem({
    status: 409,
    code: 'revision_conflict',
    detail: `Nothing is applied: ${what} is at revision ${current} by now, not ${expected}. Read it again, and decide anew.`,
    extensions: { revision: String(current) },
  })
}

/** 0 for what is not there. */
function revisionOf(named: Named, known: Known): bigint {
  if (named.kind === 'seller') return known.seller?.revision ?? 0n
  return known[named.kind].get(named.key)?.revision ?? 0n
}

/** More would not help anybody to mend a file, and an answer must stay small. */
const shownFaults = 500

export function invalidCatalogue(faults: readonly CatalogueFault[]): HttpProblem {
  const first = faults[0]
  const more = faults.length > 1 ? ` There are ${faults.length} faults, see errors.` : ''
  return new HttpProblem({
    status: 422,
    code: 'invalid_catalogue',
    detail: `Nothing is applied: ${first?.path}: ${first?.reason}.${more}`,
    extensions: { errors: faults.slice(0, shownFaults) },
  })
}
