import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Anchor } from '@tidemark/schemas/calendar.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { dayOf, localDateOf } from '@tidemark/schemas/local-date.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import { endAt } from './phases.ts'
import type { Phase, PhaseStatus, Timeline } from './timeline.ts'

type PhaseRow = {
  subscription: string
  from_at: string
  to_at: string | null
  status: PhaseStatus
  plan: string
  plan_version: number
  quantity: string
  add_ons: readonly { id: string; version: number; quantity: string }[]
  anchor: Required<Anchor> | null
}

/** The columns of billing.subscriptions that a timeline rests on besides its phases, and the customer's zone. */
export type TimelineRow = {
  key: string
  started_at: string
  ended_at: string | null
  anchor_date: string | null
  anchor_day: number
  alignment: 'anchor' | 'calendar'
  time_zone: string
}

export const timelineColumns =
  's.key, s.started_at, s.ended_at, s.anchor_date, s.anchor_day, s.alignment, c.time_zone'

/**
 * Timelines by the subscription's key. Whoever bills or changes by them holds the catalogue's revision against a change
 * meanwhile.
 */
export async function timelinesOf(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly TimelineRow[],
): Promise<Map<string, Timeline>> {
  const { rows } = await queryable.query<PhaseRow>(
    `SELECT subscription, from_at, to_at, status, plan, plan_version, quantity, add_ons, anchor
     FROM billing.subscription_phases WHERE tenant = $1 AND subscription = ANY($2)
     ORDER BY subscription, from_at`,
    [tenant, subscriptions.map(({ key }) => key)],
  )
  const phases = Map.groupBy(rows, ({ subscription }) => subscription)
  return new Map(subscriptions.map((row) => [row.key, timelineOf(row, phases.get(row.key) ?? [])]))
}

function timelineOf(row: TimelineRow, phases: readonly PhaseRow[]): Timeline {
  const start = instantOf(row.started_at)
  const date = row.anchor_date ?? localDateOf(start, row.time_zone)
  const whole: Timeline = {
    start,
    end: Infinity,
    anchor: { date, day: row.anchor_day, alignment: row.alignment },
    phases: phases.map(phaseOf),
  }
  return endAt(whole, instantOrNever(row.ended_at))
}

const instantOrNever = (text: string | null): Micros1970 => (text === null ? Infinity : instantOf(text))

const phaseOf = (row: PhaseRow): Phase => ({
  from: instantOf(row.from_at),
  to: instantOrNever(row.to_at),
  status: row.status,
  plan: row.plan,
  planVersion: row.plan_version,
  quantity: decimal(row.quantity),
  addOns: row.add_ons.map(({ quantity, ...addOn }) => ({ ...addOn, quantity: decimal(quantity) })),
  ...(row.anchor === null ? {} : { anchor: row.anchor }),
})

/** Writes all phases of subscriptions anew, those beyond a withdrawn end included. */
export async function storePhases(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly { key: string; timeline: Timeline }[],
): Promise<void> {
  const rows = subscriptions.flatMap(({ key, timeline }) =>
    // Without the end that may be withdrawn, the phases on both of its sides are one.
    endAt(timeline, Infinity).phases.map((phase) => phaseRow(key, phase)),
  )
  await queryable.query(
    'DELETE FROM billing.subscription_phases WHERE tenant = $1 AND subscription = ANY($2)',
    [tenant, subscriptions.map(({ key }) => key)],
  )
  await queryable.query(
    `INSERT INTO billing.subscription_phases
       (tenant, subscription, from_at, to_at, status, plan, plan_version, quantity, add_ons, anchor)
     SELECT $1, p.* FROM json_to_recordset($2) AS p (subscription text, from_at timestamptz, to_at timestamptz,
       status text, plan text, plan_version integer, quantity numeric, add_ons jsonb, anchor jsonb)`,
    [tenant, JSON.stringify(rows)],
  )
}

const phaseRow = (subscription: string, phase: Phase) => ({
  subscription,
  from_at: formatInstant(phase.from),
  to_at: phase.to === Infinity ? null : formatInstant(phase.to),
  status: phase.status,
  plan: phase.plan,
  plan_version: phase.planVersion,
  quantity: formatDecimal(phase.quantity),
  add_ons: phase.addOns.map(({ quantity, ...addOn }) => ({ ...addOn, quantity: formatDecimal(quantity) })),
  anchor: phase.anchor ?? null,
})

/** The columns that a timeline's own anchor is kept in. */
export const anchorColumns = ({ anchor }: Timeline) => ({
  anchor_date: anchor.date,
  anchor_day: anchor.day ?? dayOf(anchor.date),
  alignment: anchor.alignment ?? 'anchor',
})
