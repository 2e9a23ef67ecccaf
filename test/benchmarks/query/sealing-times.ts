import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { currentLog, usagePartitions } from '@tidemark/schemas/topics.ts'
import { finish } from '../../demonstration/print.ts'
import { type Figure, figureOf } from '../figure.ts'
import { type DataSet, dataSet, writeWatermarks } from './usage-data-set.ts'

const sealedWithinMs = 1_200_000
const lookEveryMs = 100
const hourMicros = 3_600_000_000

/** Seconds and rows read for each hour of the set, from the meters' making to the pass that leaves nothing due. */
export async function measureSealing(
  clickHouse: ClickHouse,
  set: DataSet,
  meters: number,
  suffix: string,
): Promise<Figure[]> {
  const hours = dataSet.days * 24
  const startedAt = performance.now()
  const readBefore = await countReadRows(clickHouse)
  await waitUntil(async () => (await countSeals(clickHouse)) >= hours * meters)
  const seconds = (performance.now() - startedAt) / 1_000
  const rows = (await countReadRows(clickHouse)) - readBefore
  finish('✔', `${hours} hours of ${meters} meters are sealed after ${seconds.toFixed(1)} s`)
  return [
    figureOf(`seal_${suffix}`, 's/hour', [seconds / hours]),
    figureOf(`seal_rows_${suffix}`, 'rows read/event', [rows / set.events]),
  ]
}

/** Seconds until as many late events, one in each of so many hours, are in seals; two meters make a thousand cells. */
export async function measureLate(clickHouse: ClickHouse, set: DataSet, suffix: string): Promise<Figure> {
  const cells = 1_000
  const hours = cells / 2
  const before = await countSeals(clickHouse)
  const nextOffset = Math.ceil(set.events / usagePartitions)
  const perPartition = Math.ceil(hours / usagePartitions)
  const rows = Array.from({ length: perPartition * usagePartitions }, (_, at) =>
    lateEvent(set, at, nextOffset),
  )
  await clickHouse.insert(
    'usage_events',
    rows.map(({ raw }) => raw),
  )
  await clickHouse.insert(
    'usage_ledger_by_cell',
    rows.map(({ cell }) => cell),
  )
  await clickHouse.insert(
    'usage_ledger',
    rows.map(({ ledger }) => ledger),
  )
  await writeWatermarks(clickHouse, nextOffset + perPartition)
  const startedAt = performance.now()
  await waitUntil(async () => (await countSeals(clickHouse)) >= before + rows.length * 2)
  const seconds = (performance.now() - startedAt) / 1_000
  finish('✔', `${rows.length * 2} late cells are sealed again after ${seconds.toFixed(1)} s`)
  return figureOf(`reseal_1000_${suffix}`, 's', [seconds], { limit: 10 })
}

function lateEvent(set: DataSet, at: number, firstOffset: number) {
  const micros = set.from + at * hourMicros + hourMicros / 2
  const time = formatInstant(micros)
  const place = {
    log: currentLog,
    partition: at % usagePartitions,
    offset: firstOffset + Math.floor(at / usagePartitions),
  }
  const payload_hash = `late-${at}`.padEnd(16, '.')
  const { tenant, type } = dataSet
  const hour = Math.floor(micros / hourMicros) * 3_600
  const cell = { tenant, type, hour, ...place, verdict: 'accepted', payload_hash }
  return {
    cell,
    raw: {
      ...{ tenant, type, subject: 'customer-0000', time, ...place, source: 'bench', id: `late-${at}` },
      ...{ accepted_at: time, payload_hash, data: '{"bytes":1,"user":"late"}' },
    },
    ledger: {
      ...{ ...cell, identity: `late-${at}`.padEnd(20, '.'), revision: 0, append_time: time },
      ...{ first_log: place.log, first_partition: place.partition, first_offset: place.offset },
    },
  }
}

async function countSeals(clickHouse: ClickHouse): Promise<number> {
  const [row] = await clickHouse.query<{ seals: string }>(
    'SELECT count() AS seals FROM usage_seals FINAL WHERE seal_version <= (SELECT max(seal_version) FROM usage_seal_passes)',
  )
  return Number(row?.seals ?? 0)
}

async function countReadRows(clickHouse: ClickHouse): Promise<number> {
  const [row] = await clickHouse.query<{ rows: string }>(
    "SELECT value AS rows FROM system.events WHERE event = 'SelectedRows'",
  )
  return Number(row?.rows ?? 0)
}

/** A month that is written within seconds leaves merges behind which no month that comes day by day has. */
export const awaitMerges = (clickHouse: ClickHouse): Promise<void> =>
  waitUntil(async () => {
    const [row] = await clickHouse.query<{ merges: string }>('SELECT count() AS merges FROM system.merges')
    return Number(row?.merges ?? 0) === 0
  }, 'merges did not end')

async function waitUntil(
  isSo: () => Promise<boolean>,
  otherwise = 'the hours were not sealed',
): Promise<void> {
  const deadline = performance.now() + sealedWithinMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${otherwise} in time`)
    await pause(lookEveryMs)
  }
}
