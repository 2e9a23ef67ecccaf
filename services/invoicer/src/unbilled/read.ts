import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Mapping } from '../catalogue/known.ts'
import { readMappings } from '../catalogue/mapping-store.ts'
import { indexUsage, type MeteredUsage, sumOf, type UsageCell } from '../closing/usage.ts'
import { readUsage } from '../closing/usage-store.ts'
import { billedSubscriptions } from '../invoicing/store.ts'
import type { BilledSubscription } from '../invoicing/subscription.ts'
import { readSubscriptions } from '../subscriptions/store.ts'
import { accountFor, type MeterAccount, type PlacedCell } from './accounting.ts'
import { coverageOf, dimensionsOf, type Stretch } from './coverage.ts'

export type UnbilledDeps = { readonly pool: Queryable; readonly clickHouse: ClickHouse }

/** Subjects with bounds of their own that are read together; bounds of all of them stand in one request's address. */
const subjectsAtOnce = 100

/** Divides all that the meters counted in a period, at a cut, into what is billed and what is not. */
export async function readUnbilled(
  { pool, clickHouse }: UnbilledDeps,
  {
    tenant,
    meters,
    period,
    cut,
  }: {
    tenant: string
    meters: readonly MeterVersion[]
    period: BillingPeriod
    cut: Cut
  },
): Promise<MeterAccount[]> {
  const read = []
  for (const meter of meters) {
    const bounds = [period.start, period.end]
    const cells = await readUsage(clickHouse, { meter, cut, range: period, bounds })
    read.push({ meter, cells: cells.filter(({ matched }) => matched) })
  }
  const subjects = [...new Set(read.flatMap(({ cells }) => cells.map(({ subject }) => subject)))]
  const catalogue = await readCatalogue(pool, tenant, subjects)
  const accounts: MeterAccount[] = []
  for (const { meter, cells } of read) {
    const question = { meter, cut, period, cells, catalogue }
    accounts.push(accountFor(meter, sumOf(cells), await placeCells(clickHouse, question)))
  }
  return accounts
}

type Catalogue = {
  readonly mappings: ReadonlyMap<string, readonly Mapping[]>
  subscriptionsOf(customer: string): readonly BilledSubscription[]
}

/** Whose the subjects are, and what those customers have. */
async function readCatalogue(
  pool: Queryable,
  tenant: string,
  subjects: readonly string[],
): Promise<Catalogue> {
  const mappings = await readMappings(pool, tenant, [], subjects)
  const customers = [...new Set(mappings.map(({ customer }) => customer))]
  const subscriptions =
    customers.length === 0
      ? []
      : await billedSubscriptions(pool, tenant, await readSubscriptions(pool, tenant, { customers }))
  const byCustomer = Map.groupBy(subscriptions, ({ customer }) => customer)
  return {
    mappings: Map.groupBy(mappings, ({ subject }) => subject),
    subscriptionsOf: (customer) => byCustomer.get(customer) ?? [],
  }
}

type Placing = {
  readonly meter: MeterVersion
  readonly cut: Cut
  readonly period: BillingPeriod
  readonly cells: readonly UsageCell[]
  readonly catalogue: Catalogue
}

/**
 * Tells each cell's stretch. Subjects with several stretches, or with prices that choose by dimensions, are read again,
 * told apart by those.
 */
async function placeCells(clickHouse: ClickHouse, question: Placing): Promise<PlacedCell[]> {
  const { meter, cut, period, cells, catalogue } = question
  const placed: PlacedCell[] = []
  const divided = new Map<string, Stretch[]>()
  for (const cell of cells) {
    const mappings = catalogue.mappings.get(cell.subject) ?? []
    const stretches = coverageOf(meter.key, mappings, catalogue.subscriptionsOf, period)
    const [only] = stretches
    if (only && stretches.length === 1 && dimensionsOf(stretches).length === 0)
      placed.push({ cell, stretch: only, dimensions: [] })
    else divided.set(cell.subject, stretches)
  }
  const subjects = [...divided.keys()]
  for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
    const some = subjects.slice(at, at + subjectsAtOnce)
    const stretches = some.flatMap((subject) => divided.get(subject) ?? [])
    const known = Object.keys(meter.dimensions ?? {})
    const dimensions = dimensionsOf(stretches).filter((name) => known.includes(name))
    const bounds = [...new Set([...stretches.map(({ from }) => from), period.end])].sort((a, b) => a - b)
    const again = await readUsage(clickHouse, {
      meter,
      cut,
      range: period,
      bounds,
      dimensions,
      subjects: some,
    })
    const index = indexUsage(again, bounds, dimensions)
    for (const subject of some)
      placed.push(...placeSubject(divided.get(subject) ?? [], index.bySubject.get(subject) ?? [], index))
  }
  checkSame(meter, sumOf(cells), sumOf(placed.map(({ cell }) => cell)))
  return placed
}

const placeSubject = (
  stretches: readonly Stretch[],
  cells: readonly UsageCell[],
  { bounds, dimensions }: Pick<ReturnType<typeof indexUsage>, 'bounds' | 'dimensions'>,
): PlacedCell[] =>
  cells.flatMap((cell) => {
    const from = bounds[cell.segment - 1] ?? Number.NaN
    const stretch = stretches.find((each) => each.from <= from && from < each.to)
    return stretch ? [{ cell, stretch, dimensions }] : []
  })

/** At one cut both readings are of the same events. */
function checkSame(meter: MeterVersion, first: MeteredUsage, second: MeteredUsage): void {
  if (first.count === second.count && first.hash === second.hash) return
  throw new Error(
    `${second.count} events of meter "${meter.key}" were told apart where ${first.count} were read at the same cut`,
  )
}
