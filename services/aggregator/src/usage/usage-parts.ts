import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { planHours } from './hour-plan.ts'
import { hoursPerList, type ReadHours } from './meter-hours.ts'
import { sealedPart } from './sealed-part.ts'
import { type Keys, rawPart, type UsagePart } from './usage-part.ts'
import type { UsageQuery } from './usage-query.ts'

export type PlanParts = (clickHouse: ClickHouse, query: UsageQuery, keys: Keys) => Promise<UsagePart[]>

/**
 * Plans what a query has to read as of its cut: sealed hours where their seal holds exactly the events below the cut, raw
 * events otherwise. No part at all means that there is no event.
 */
export const planPartsBy =
  (readHours: ReadHours): PlanParts =>
  async (clickHouse, query, keys) => {
    const known = await readHours(clickHouse, query)
    if (known === undefined) return [rawPart(query, keys)]
    const { raw, sealed } = planHours(query, query.windowStarts, known)
    if (raw.length > hoursPerList) return [rawPart(query, keys)]
    return [
      ...(sealed.length > 0 ? [sealedPart(query, keys, known, sealed)] : []),
      ...(raw.length > 0 ? [rawPart(query, keys, raw)] : []),
    ]
  }
