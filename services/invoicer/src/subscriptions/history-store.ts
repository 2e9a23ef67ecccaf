import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'

export type HistoryEntry = {
  id: bigint
  at: string
  actor: string
  action: string
  before: Json
  after: Json
}

/** What the audit log keeps of a subscription, oldest first, after an entry's id. */
export async function listHistory(
  queryable: Queryable,
  tenant: string,
  key: string,
  { after, limit }: { after: string; limit: number },
): Promise<HistoryEntry[]> {
  const { rows } = await queryable.query<HistoryEntry>(
    `SELECT id, at, actor, action, before, after FROM billing.audit_log
     WHERE tenant = $1 AND entity = 'subscription' AND entity_key = $2 AND id > $3 ORDER BY id LIMIT $4`,
    [tenant, key, after === '' ? '0' : after, limit],
  )
  return rows
}
