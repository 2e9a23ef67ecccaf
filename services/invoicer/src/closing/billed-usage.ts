import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Mapping } from '../catalogue/known.ts'
import { mostEvents } from '../invoicing/refusal.ts'
import type { ReadUsage, UsageNeed } from '../invoicing/usage-needs.ts'
import { readEventValues } from './event-values.ts'
import { checkLedgerEquality, wholeHours } from './ledger-equality.ts'
import { CloseStopped } from './stop.ts'
import {
  boundsOf,
  cellsOf,
  checkAllRead,
  checkReadAgain,
  indexUsage,
  sumOf,
  type UsageCell,
  type UsageIndex,
} from './usage.ts'
import { readUsage } from './usage-store.ts'

/** A need with the meter's version and the customer's subjects, clipped to what is billed. */
export type NeedQuestion = {
  readonly need: UsageNeed
  readonly meter: MeterVersion
  readonly mappings: readonly Mapping[]
}

/** Answers the needs of one reading. */
export type UsageReader = (question: NeedQuestion) => Promise<ReadUsage>

/** So that subjects, up to 256 bytes each, stay far below what a request's address may hold. */
const subjectsAtOnce = 500

export type PeriodQuestion = {
  readonly tenant: string
  /** Contains the windows of all needs. */
  readonly period: BillingPeriod
  readonly cut: Cut
  /** All that will be asked for. */
  readonly questions: readonly NeedQuestion[]
}

/**
 * Reads a whole tenant's usage of a period once per meter, proves that it is all that the ledger accepted, and answers
 * needs out of it. Subjects that change hands within the period, and windows that are a part of it, are read again, told
 * apart at those instants.
 * @throws CloseStopped
 */
export async function readPeriod(
  clickHouse: ClickHouse,
  { tenant, period, cut, questions }: PeriodQuestion,
): Promise<UsageReader> {
  const byMeter = Map.groupBy(questions, ({ meter }) => meter.key)
  const types = [...new Set(questions.map(({ meter }) => meter.eventType))]
  const ledger = await checkLedgerEquality(clickHouse, { tenant, types, period, cut })
  const indexes = new Map<string, { whole: UsageIndex; parts: UsageIndex }>()
  for (const [key, asked] of byMeter) {
    const [first] = asked
    if (!first) continue
    const { meter } = first
    const dimensions = dimensionsOf(asked)
    const bounds = [period.start, period.end]
    const cells = await readUsage(clickHouse, { meter, cut, range: wholeHours(period), bounds, dimensions })
    checkAllRead(meter.eventType, cells, ledger.get(meter.eventType))
    const whole = indexUsage(cells, bounds, dimensions)
    const partial = asked.flatMap(({ mappings }) => mappings.filter((each) => !isWhole(each, period)))
    const parts = await indexMapped(clickHouse, meter, partial, period, cut, dimensions)
    for (const subject of new Set(partial.map((each) => each.subject)))
      checkReadAgain(subject, period, whole, parts)
    indexes.set(key, { whole, parts })
  }
  return async (question) => {
    const { meter, mappings } = question
    const index = indexes.get(meter.key)
    if (!index) throw new RangeError(`meter "${meter.key}" was not read`)
    const cells = [
      ...cellsOf(
        mappings.filter((each) => isWhole(each, period)),
        index.whole,
      ),
      ...cellsOf(
        mappings.filter((each) => !isWhole(each, period)),
        index.parts,
      ),
    ]
    return answer(clickHouse, question, cells, index.whole.dimensions, period, cut)
  }
}

const isWhole = ({ from, to }: Mapping, { start, end }: BillingPeriod): boolean =>
  from === start && to === end

/** Reads the usage of these mappings only, told apart wherever one of them begins or ends. */
export async function readNeed(
  clickHouse: ClickHouse,
  question: NeedQuestion,
  period: BillingPeriod,
  cut: Cut,
): Promise<ReadUsage> {
  const { meter, mappings } = question
  const dimensions = dimensionsOf([question])
  const index = await indexMapped(clickHouse, meter, mappings, period, cut, dimensions)
  return answer(clickHouse, question, cellsOf(mappings, index), dimensions, period, cut)
}

/** The meter's dimensions that some need tells usage apart by, or chooses by. */
const dimensionsOf = (questions: readonly NeedQuestion[]): string[] => [
  ...new Set(
    questions.flatMap(({ need, meter }) =>
      [...need.dimensions, ...Object.keys(need.filter)].filter((name) => name in (meter.dimensions ?? {})),
    ),
  ),
]

async function indexMapped(
  clickHouse: ClickHouse,
  meter: MeterVersion,
  mappings: readonly Mapping[],
  period: BillingPeriod,
  cut: Cut,
  dimensions: readonly string[],
): Promise<UsageIndex> {
  const bounds = boundsOf(mappings, period)
  const subjects = [...new Set(mappings.map(({ subject }) => subject))]
  const cells: UsageCell[] = []
  for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
    const some = subjects.slice(at, at + subjectsAtOnce)
    const question = { meter, cut, range: period, bounds, dimensions, subjects: some }
    cells.push(...(await readUsage(clickHouse, question)))
  }
  return indexUsage(cells, bounds, dimensions)
}

async function answer(
  clickHouse: ClickHouse,
  { need, meter, mappings }: NeedQuestion,
  cells: readonly UsageCell[],
  names: readonly string[],
  period: BillingPeriod,
  cut: Cut,
): Promise<ReadUsage> {
  const told = (cell: UsageCell, name: string) => cell.values[names.indexOf(name)] ?? ''
  const chosen = cells.filter((cell) =>
    Object.entries(need.filter).every(([name, values]) => values.includes(told(cell, name))),
  )
  const groups = Map.groupBy(chosen, (cell) =>
    JSON.stringify(need.dimensions.map((name) => told(cell, name))),
  )
  const total = sumOf(chosen)
  const question = { meter, cut, range: period, mappings, filter: need.filter, most: mostEvents }
  const events = need.events ? await readEventValues(clickHouse, question) : undefined
  if (events && BigInt(events.length) !== total.readings.count) throw differs(meter, events.length, total)
  return {
    need,
    meter,
    mappings,
    ...total,
    groups: [...groups.values()].map((group) => ({
      match: Object.fromEntries(need.dimensions.map((name) => [name, group[0] ? told(group[0], name) : ''])),
      readings: sumOf(group).readings,
    })),
    events,
  }
}

const differs = (meter: MeterVersion, read: number, { readings: { count } }: Pick<ReadUsage, 'readings'>) =>
  new CloseStopped(
    `${read} single events of meter "${meter.key}" were read where ${count} were proved: nothing of this period is closed.`,
    'usage_incomplete',
    { meter: meter.key, read: `${read}`, accepted: `${count}` },
  )
