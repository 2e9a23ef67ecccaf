import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Plan, VersionState } from '@tidemark/schemas/plan.ts'
import { recordChanges } from '../history.ts'
import { checkRevision, invalidCatalogue } from './apply.ts'
import { catalogueFaults } from './faults.ts'
import { readKnown } from './known-store.ts'
import { lockCatalogue, raiseRevision } from './store.ts'
import { readVersion, type VersionedKind, versionTables } from './version-list.ts'
import { storeVersions } from './version-store.ts'

type StateRequest = {
  tenant: string
  actor: string
  kind: VersionedKind
  id: string
  version: number
  state: 'published' | 'deprecated'
  expected: bigint | undefined
}

/** From which state each can be reached; nothing ever goes back. */
const before: Record<StateRequest['state'], VersionState> = { published: 'draft', deprecated: 'published' }

/**
 * Publishes a draft, checked anew because meters may be others by now, or deprecates a published version; when it is so
 * already, nothing changes.
 * @returns the revision of the plan or add-on after it; undefined when there is no such version
 * @throws HttpProblem 409 for a state that cannot follow or a revision that is old; 422 for a draft with faults
 */
export function setVersionState(
  pool: Pool,
  clock: Clock,
  request: StateRequest,
): Promise<bigint | undefined> {
  const { tenant, actor, kind, id, version, state } = request
  return transaction(pool, async (queryable) => {
    await lockCatalogue(queryable, tenant)
    const found = await readVersion<Plan | AddOn>(queryable, kind, tenant, id, version)
    if (!found) return undefined
    checkRevision(request.expected, found.revision, { kind, key: id })
    if (found.state === state) return found.revision
    if (found.state !== before[state]) throw illegalState(request, found.state)
    const at = clock.nowMicros()
    if (state === 'published') await checkDraft(queryable, tenant, kind, found.definition, at)
    const { sha256, definition } = found
    const stored = { id, version, state, sha256, definition: { ...definition } }
    await storeVersions(queryable, versionTables[kind], tenant, [stored], formatInstant(at))
    const entity = kind === 'plans' ? 'plan' : 'add-on'
    const change = { change: state, version }
    await recordChanges(
      queryable,
      [{ tenant, actor, action: `${entity}.${state}`, entity, entityKey: id, after: change }],
      at,
    )
    await raiseRevision(queryable, tenant)
    return found.revision + 1n
  })
}

async function checkDraft(
  queryable: Queryable,
  tenant: string,
  kind: VersionedKind,
  item: Plan | AddOn,
  now: Micros1970,
) {
  const catalogue: Catalogue = { [kind]: [item] }
  const faults = catalogueFaults(catalogue, await readKnown(queryable, tenant, catalogue, now))
  if (faults.length > 0) throw invalidCatalogue(faults)
}

const illegalState = ({ id, version, state }: StateRequest, current: VersionState): HttpProblem =>
  new HttpProblem({
    status: 409,
    code: 'illegal_state',
    detail: `Version ${version} of "${id}" is ${current} and cannot become ${state}: only what is ${before[state]} can.`,
    extensions: { state: current },
  })
