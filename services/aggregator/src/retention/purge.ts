import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'

const deletion = { timeoutMs: 3_600_000 }

/**
 * Removes seal versions that no reader can ask for: those that were replaced before the pass `passesKept` ago. Passes go
 * first, so that nobody begins to read by one; then their hours, and the seals last, for they say what is still needed.
 * Broken off between two of them it is begun anew and ends the same.
 * @returns seals removed
 */
export async function purgeSeals(clickHouse: ClickHouse, passesKept: number): Promise<number> {
  const [oldest] = await clickHouse.query<{ version: string }>(
    `SELECT DISTINCT seal_version AS number, toString(seal_version) AS version FROM usage_seal_passes
     ORDER BY number DESC LIMIT 1 OFFSET {passesKept:UInt32}`,
    { passesKept: passesKept - 1 },
  )
  if (oldest === undefined) return 0
  const params = { oldest: oldest.version }
  await clickHouse.command(
    'DELETE FROM usage_seal_passes WHERE seal_version < {oldest:UInt256}',
    params,
    deletion,
  )
  const [found] = await clickHouse.query<{ seals: string }>(
    `SELECT toString(count()) AS seals FROM usage_seals WHERE ${replaced}`,
    params,
    deletion,
  )
  const seals = Number(found?.seals ?? 0)
  if (seals === 0) return 0
  for (const table of ['usage_hourly', 'usage_seals'])
    await clickHouse.command(`DELETE FROM ${table} WHERE ${replaced}`, params, deletion)
  return seals
}

/** Older than the oldest pass kept, and not what that pass goes by. */
const replaced = `seal_version < {oldest:UInt256} AND (tenant, meter_key, meter_version, hour, seal_version) NOT IN (
  SELECT tenant, meter_key, meter_version, hour, max(seal_version) FROM usage_seals
  WHERE seal_version <= {oldest:UInt256} GROUP BY tenant, meter_key, meter_version, hour)`
