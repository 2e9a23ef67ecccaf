import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { BillingEvent } from '@tidemark/schemas/billing-event.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'

/** One change of billing state: who did what to which thing, and what is told of it on billing.events, if anything. */
export type Change = {
  tenant: string
  /** API key id, or the part of the service that acted. */
  actor: string
  /** Such as `invoice.opened`. */
  action: string
  entity: string
  entityKey: string
  before?: Json
  after?: Json
  /** The record's key, so that what happens to one customer stays in order, and the event. */
  event?: { key: string; event: BillingEvent }
}

/**
 * Writes changes to the audit log and their events to the outbox. Call it inside the transaction that makes the
 * changes: otherwise one of them can be there without the other.
 */
export async function recordChanges(
  queryable: Queryable,
  changes: readonly Change[],
  at: Micros1970,
): Promise<void> {
  if (changes.length === 0) return
  const audit = changes.map(({ tenant, actor, action, entity, entityKey, before, after }) => ({
    tenant,
    actor,
    action,
    entity,
    entity_key: entityKey,
    before: before ?? null,
    after: after ?? null,
  }))
  await queryable.query(
    `INSERT INTO billing.audit_log (tenant, at, actor, action, entity, entity_key, before, after)
     SELECT tenant, $2, actor, action, entity, entity_key, before, after
     FROM json_to_recordset($1) AS change
       (tenant text, actor text, action text, entity text, entity_key text, before jsonb, after jsonb)`,
    [JSON.stringify(audit), formatInstant(at)],
  )
  const events = changes.flatMap(({ tenant, event }) => (event ? [{ tenant, ...event }] : []))
  if (events.length === 0) return
  await queryable.query(
    `INSERT INTO billing.outbox (tenant, key, event, created_at)
     SELECT tenant, key, event, $2 FROM json_to_recordset($1) AS change (tenant text, key text, event jsonb)`,
    [JSON.stringify(events), formatInstant(at)],
  )
}
