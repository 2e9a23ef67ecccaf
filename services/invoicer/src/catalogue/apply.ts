import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { type ChangeSummary, planChanges, summaryOf } from './changes.ts'
import { catalogueFaults } from './faults.ts'
import { readKnown } from './known-store.ts'
import { readCatalogue } from './shape.ts'
import { lockCatalogue, storeChanges } from './store.ts'

export type ApplyRequest = { tenant: string; actor: string; body: unknown; dryRun: boolean }
export type ApplyResult = { dryRun: boolean; changes: ChangeSummary[]; unchanged: number }

/**
 * Checks all of a catalogue and applies it whole, in one transaction, or refuses it whole; a dry run stops before it
 * writes. Applying the same again changes nothing.
 * @throws HttpProblem 422 `invalid_catalogue` with every fault in `errors`
 */
export function applyCatalogue(
  pool: Pool,
  clock: Clock,
  { tenant, actor, body, dryRun }: ApplyRequest,
): Promise<ApplyResult> {
  const read = readCatalogue(body)
  if ('faults' in read) throw invalidCatalogue(read.faults)
  const { catalogue } = read
  if (catalogue.meters && !dryRun)
    throw invalidCatalogue([
      { path: 'meters', reason: 'meters are kept by the aggregator: send each to its POST /v1/meters first' },
    ])
  return transaction(pool, async (queryable) => {
    await lockCatalogue(queryable, tenant)
    const known = await readKnown(queryable, tenant, catalogue)
    const faults = catalogueFaults(catalogue, known)
    if (faults.length > 0) throw invalidCatalogue(faults)
    const changes = planChanges(catalogue, known)
    if (!dryRun) await storeChanges(queryable, tenant, changes, actor, clock.nowMicros())
    return { dryRun, changes: summaryOf(changes), unchanged: changes.unchanged }
  })
}

/** More would not help anybody to mend a file, and an answer must stay small. */
const shownFaults = 500

function invalidCatalogue(faults: readonly CatalogueFault[]): HttpProblem {
  const first = faults[0]
  const more = faults.length > 1 ? ` There are ${faults.length} faults, see errors.` : ''
  return new HttpProblem({
    status: 422,
    code: 'invalid_catalogue',
    detail: `Nothing is applied: ${first?.path}: ${first?.reason}.${more}`,
    extensions: { errors: faults.slice(0, shownFaults) },
  })
}
