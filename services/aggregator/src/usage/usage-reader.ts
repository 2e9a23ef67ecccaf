import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { isCarried, type Meter } from '@tidemark/schemas/meter.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { readCarriedUsage } from './carried-reader.ts'
import { type ReadHours, readHours } from './meter-hours.ts'
import { rawPart, type UsagePart, wholeSeconds } from './usage-part.ts'
import { planPartsBy } from './usage-parts.ts'
import type { UsageQuery, UsageRow } from './usage-query.ts'
import { combined, usageStatement } from './usage-statement.ts'

/**
 * The usage of a meter as of the query's cut: sealed hours where their seal holds exactly the events below the cut, raw
 * events otherwise. The same as recompute() at any time, whatever has been sealed.
 * @param read tells which hours are sealed; anew for each query unless another way is given
 */
export async function readUsage(
  clickHouse: ClickHouse,
  query: UsageQuery,
  read: ReadHours = readHours,
): Promise<UsageRow[]> {
  const planParts = planPartsBy(read)
  if (isCarried(query.meter)) return readCarriedUsage(clickHouse, query, planParts)
  const parts = await planParts(clickHouse, query, 'groups')
  return parts.length === 0 ? [] : combineParts(clickHouse, query, parts)
}

/** The same from raw events alone: what every other way of reading has to agree with. */
export function recompute(clickHouse: ClickHouse, query: UsageQuery): Promise<UsageRow[]> {
  if (isCarried(query.meter))
    return readCarriedUsage(clickHouse, query, async (_, asked, keys) => [rawPart(asked, keys)])
  return combineParts(clickHouse, query, [rawPart(query, 'groups')])
}

type CombinedRow = {
  windowSecond: number
  groupSubject: string
  groupDimensions: string[]
  events: string
  unread: string
  number: string | null
  sealedEvents: string
}

async function combineParts(
  clickHouse: ClickHouse,
  query: UsageQuery,
  parts: readonly UsagePart[],
): Promise<UsageRow[]> {
  const read = ({ sql, params }: Sql) => clickHouse.query<CombinedRow>(sql, params)
  const first = await read(usageStatement(query, parts))
  const rows = isOnce(parts, first) ? first : await read(usageStatement(query, parts.map(collapsed)))
  const starts = new Map(query.windowStarts.map((start) => [wholeSeconds(start), start]))
  return rows.map((row) => ({
    windowStart: starts.get(row.windowSecond) ?? query.from,
    subject: row.groupSubject,
    dimensions: row.groupDimensions,
    value: row.number === null ? null : quantityText(query.meter, row.number),
    eventCount: BigInt(row.events),
    unreadable: BigInt(row.unread),
  }))
}

/** Where there is no row, none was counted twice: another copy makes no group. */
function isOnce(parts: readonly UsagePart[], [row]: readonly CombinedRow[]): boolean {
  const expected = parts.reduce((sum, { onceIf }) => sum + (onceIf?.sealedEvents ?? 0n), 0n)
  return row === undefined || BigInt(row.sealedEvents) === expected
}

const collapsed = (part: UsagePart): UsagePart => part.onceIf?.otherwise ?? part

/** ClickHouse writes decimals as we do: plain, and without zeros at their end. */
function quantityText({ aggregation, rounding }: Meter, text: string): string {
  const { scale } = combined(aggregation)
  if (scale === 0 && rounding === undefined) return text
  const number = decimal(text)
  return formatDecimal(roundQuantity({ ...number, scale: number.scale + scale }, rounding))
}
