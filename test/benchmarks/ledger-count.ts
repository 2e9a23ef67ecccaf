import type { Stores } from '../demonstration/stores.ts'

/** Records that the aggregator has accounted for. */
export async function countLedger({ clickHouse }: Stores): Promise<number> {
  const [row] = await clickHouse.query<{ rows: string }>('SELECT count() AS rows FROM usage_ledger')
  return Number(row?.rows ?? 0)
}
