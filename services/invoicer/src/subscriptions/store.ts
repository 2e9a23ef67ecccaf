import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { isCurrency } from '@tidemark/schemas/money.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import { zoneAt } from '../catalogue/time-zones.ts'
import { readAttachedCoupons, storeAttachedCoupons } from './coupon-store.ts'
import type { AttachedCoupon, BillingMode, Subscription } from './subscription.ts'
import { phaseAt, type Timeline } from './timeline.ts'
import {
  anchorColumns,
  storePhases,
  type TimelineRow,
  timelineColumns,
  timelinesOf,
} from './timeline-store.ts'

type Row = TimelineRow & {
  customer: string
  currency: string
  source: string
  billing_mode: BillingMode
  revision: bigint
  billed_until: string | null
  is_start_billed: boolean
  /** Null for nearly all: nothing has changed. */
  past_zones: { until: string; zone: string }[] | null
}

/** Some by their keys, all of some customers, or a page in the order of keys. */
export type Selection =
  | { readonly keys: readonly string[] }
  | { readonly customers: readonly string[] }
  | { readonly after: string; readonly customer: string | undefined; readonly limit: number }

export async function readSubscriptions(
  queryable: Queryable,
  tenant: string,
  selection: Selection,
): Promise<Subscription[]> {
  if (isEmpty(selection)) return []
  const { where, values } = conditionOf(selection)
  const { rows } = await queryable.query<Row>(
    `SELECT ${timelineColumns}, s.customer, c.currency, s.source, s.billing_mode, s.revision, (
       SELECT max(b.period_end) FROM billing.billing_claims b
       WHERE b.tenant = s.tenant AND b.subscription = s.key AND b.kind = 'recurring'
     ) AS billed_until, EXISTS (
       SELECT FROM billing.billing_claims b
       WHERE b.tenant = s.tenant AND b.subscription = s.key AND b.kind = 'advance'
     ) AS is_start_billed, (
       SELECT json_agg(json_build_object('until', z.until_at, 'zone', z.time_zone) ORDER BY z.until_at)
       FROM billing.past_time_zones z WHERE z.tenant = s.tenant AND z.customer = s.customer
     ) AS past_zones
     FROM billing.subscriptions s JOIN billing.customers c ON c.tenant = s.tenant AND c.key = s.customer
     WHERE s.tenant = $1 AND ${where}`,
    [tenant, ...values],
  )
  if (rows.length === 0) return []
  const timelines = await timelinesOf(queryable, tenant, rows)
  const coupons = await readAttachedCoupons(
    queryable,
    tenant,
    rows.map(({ key }) => key),
  )
  return rows.flatMap((row) => {
    const timeline = timelines.get(row.key)
    return timeline ? [subscriptionOf(row, timeline, coupons.get(row.key) ?? [])] : []
  })
}

/** A question less for most changes of a catalogue. */
const isEmpty = (selection: Selection): boolean =>
  ('keys' in selection && selection.keys.length === 0) ||
  ('customers' in selection && selection.customers.length === 0)

function conditionOf(selection: Selection): { where: string; values: unknown[] } {
  if ('keys' in selection) return { where: 's.key = ANY($2) ORDER BY s.key', values: [selection.keys] }
  if ('customers' in selection)
    return { where: 's.customer = ANY($2) ORDER BY s.key', values: [selection.customers] }
  const { after, customer, limit } = selection
  return {
    where: 's.key > $2 AND ($3::text IS NULL OR s.customer = $3) ORDER BY s.key LIMIT $4',
    values: [after, customer ?? null, limit],
  }
}

function subscriptionOf(row: Row, timeline: Timeline, coupons: readonly AttachedCoupon[]): Subscription {
  if (!isCurrency(row.currency)) throw new RangeError(`"${row.currency}" is no currency of the table`)
  const billedUntil = row.billed_until === null ? undefined : instantOf(row.billed_until)
  const zones = row.past_zones && {
    current: row.time_zone,
    before: row.past_zones.map(({ until, zone }) => ({ until: instantOf(until), zone })),
  }
  return {
    key: row.key,
    customer: row.customer,
    currency: row.currency,
    zone: zones ? zoneAt(zones, billedUntil ?? timeline.start) : row.time_zone,
    ...(zones ? { zones } : {}),
    source: row.source,
    billingMode: row.billing_mode,
    revision: row.revision,
    timeline,
    billedUntil,
    isStartBilled: row.is_start_billed,
    coupons,
  }
}

/** What a subscription needs to be there. */
export type NewSubscription = Pick<
  Subscription,
  'key' | 'customer' | 'source' | 'billingMode' | 'timeline' | 'coupons'
>

/** Makes new subscriptions. The caller holds the catalogue's lock. */
export async function insertSubscriptions(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly NewSubscription[],
  now: Micros1970,
): Promise<void> {
  if (subscriptions.length === 0) return
  const rows = subscriptions.map(({ key, customer, source, billingMode, timeline }) => ({
    key,
    customer,
    source,
    billing_mode: billingMode,
    started_at: formatInstant(timeline.start),
    ...anchorColumns(timeline),
    ...nowColumns(timeline, now),
  }))
  await queryable.query(
    `INSERT INTO billing.subscriptions (tenant, key, customer, source, billing_mode, started_at, anchor_date, anchor_day,
       alignment, plan, plan_version, ended_at, state, created_at, updated_at)
     SELECT $1, s.*, $3, $3 FROM json_to_recordset($2) AS s (key text, customer text, source text, billing_mode text,
       started_at timestamptz, anchor_date date, anchor_day smallint, alignment text, plan text,
       plan_version integer, ended_at timestamptz, state text)`,
    [tenant, JSON.stringify(rows), formatInstant(now)],
  )
  await storePhases(queryable, tenant, subscriptions)
  await storeAttachedCoupons(queryable, tenant, subscriptions, now)
}

/** Stores what a subscription has become and raises its revision; the caller holds the catalogue's lock. */
export async function updateSubscription(
  queryable: Queryable,
  tenant: string,
  { key, billingMode, timeline, coupons }: Subscription,
  now: Micros1970,
): Promise<void> {
  const { plan, plan_version, ended_at, state } = nowColumns(timeline, now)
  await queryable.query(
    `UPDATE billing.subscriptions SET billing_mode = $3, plan = $4, plan_version = $5, ended_at = $6, state = $7,
       revision = revision + 1, updated_at = $8
     WHERE tenant = $1 AND key = $2`,
    [tenant, key, billingMode, plan, plan_version, ended_at, state, formatInstant(now)],
  )
  await storePhases(queryable, tenant, [{ key, timeline }])
  await storeAttachedCoupons(queryable, tenant, [{ key, coupons }], now)
}

/** What readers of billing.subscriptions see: as of its last change. */
function nowColumns(timeline: Timeline, now: Micros1970) {
  const { phases, beyond = [], end } = timeline
  const phase = phaseAt(timeline, now) ?? (now < timeline.start ? phases[0] : phases.at(-1)) ?? beyond[0]
  if (!phase) throw new RangeError('a subscription has at least one phase')
  return {
    plan: phase.plan,
    plan_version: phase.planVersion,
    ended_at: end === Infinity ? null : formatInstant(end),
    state: end <= now ? 'ended' : 'active',
  }
}
