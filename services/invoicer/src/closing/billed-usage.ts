import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Mapping } from '../catalogue/known.ts'
import { checkLedgerEquality, wholeHours } from './ledger-equality.ts'
import {
  addUsage,
  boundsOf,
  checkAllRead,
  checkReadAgain,
  indexUsage,
  type MeteredUsage,
  type UsageIndex,
  usageOf,
} from './usage.ts'
import { readUsage } from './usage-store.ts'

/** Answers what clipped mappings have used of one meter. */
export type MeterReading = (mappings: readonly Mapping[]) => MeteredUsage

/** So that subjects, up to 256 bytes each, stay far below what a request's address may hold. */
const subjectsAtOnce = 500

export type PeriodQuestion = {
  readonly tenant: string
  readonly meters: readonly MeterVersion[]
  readonly period: BillingPeriod
  readonly cut: Cut
  /** All clipped mappings that will be asked for. */
  readonly mappings: readonly Mapping[]
}

/**
 * Reads a whole tenant's usage of a period once per meter, proves that it is all that the ledger accepted, and answers
 * per mapping. Subjects that change hands within the period are read again, told apart at those instants.
 * @throws CloseStopped
 */
export async function readPeriod(
  clickHouse: ClickHouse,
  { tenant, meters, period, cut, mappings }: PeriodQuestion,
): Promise<Map<string, MeterReading>> {
  const types = [...new Set(meters.map(({ eventType }) => eventType))]
  const ledger = await checkLedgerEquality(clickHouse, { tenant, types, period, cut })
  const partial = mappings.filter(({ from, to }) => from > period.start || to < period.end)
  const readings = new Map<string, MeterReading>()
  for (const meter of meters) {
    const bounds = [period.start, period.end]
    const cells = await readUsage(clickHouse, { meter, cut, range: wholeHours(period), bounds })
    checkAllRead(meter.eventType, cells, ledger.get(meter.eventType))
    const whole = indexUsage(cells, bounds)
    const parts = await indexMapped(clickHouse, meter, partial, period, cut)
    for (const { subject } of partial) checkReadAgain(subject, period, whole, parts)
    readings.set(meter.key, (asked) => usageOfBoth(asked, whole, parts, period))
  }
  return readings
}

function usageOfBoth(
  asked: readonly Mapping[],
  whole: UsageIndex,
  parts: UsageIndex,
  period: BillingPeriod,
): MeteredUsage {
  const isWhole = ({ from, to }: Mapping) => from === period.start && to === period.end
  const fromWhole = usageOf(asked.filter(isWhole), whole)
  const partial = asked.filter((mapping) => !isWhole(mapping))
  return partial.length === 0 ? fromWhole : addUsage(fromWhole, usageOf(partial, parts))
}

/** Reads the usage of these mappings only, told apart wherever one of them begins or ends. */
export async function readMapped(
  clickHouse: ClickHouse,
  meter: MeterVersion,
  mappings: readonly Mapping[],
  period: BillingPeriod,
  cut: Cut,
): Promise<MeterReading> {
  const index = await indexMapped(clickHouse, meter, mappings, period, cut)
  return (asked) => usageOf(asked, index)
}

async function indexMapped(
  clickHouse: ClickHouse,
  meter: MeterVersion,
  mappings: readonly Mapping[],
  period: BillingPeriod,
  cut: Cut,
): Promise<UsageIndex> {
  const bounds = boundsOf(mappings, period)
  const subjects = [...new Set(mappings.map(({ subject }) => subject))]
  const cells = []
  for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
    const some = subjects.slice(at, at + subjectsAtOnce)
    cells.push(...(await readUsage(clickHouse, { meter, cut, range: period, bounds, subjects: some })))
  }
  return indexUsage(cells, bounds)
}
