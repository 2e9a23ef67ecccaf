import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createConsumingMetrics } from '@tidemark/aggregator/consuming-metrics.ts'
import { identityText } from '@tidemark/aggregator/deduplication/decide.ts'
import { findByIdentity } from '@tidemark/aggregator/ledger/ledger.ts'
import { type OpenPartition, openPartition } from '@tidemark/aggregator/partition.ts'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { deduplicationHorizonMs, usagePartitions } from '@tidemark/schemas/topics.ts'
import { finish, step, thousands } from '../../demonstration/print.ts'
import { openStores } from '../../demonstration/stores.ts'
import { installOn } from '../../installation.ts'
import type { BenchStack } from '../bench-stack.ts'
import { figureOf, type Measured } from '../figure.ts'
import { identitiesOf, storeLedger } from './stored-ledger.ts'

const events = 10_000_000
const rebuildLimitSeconds = 60
const lookUps = 25_000
const lookUpRounds = 5

/**
 * What the aggregator reads of its ledger: all of it, where the deduplication state is lost, and single identities, of events
 * older than the state's horizon. Both over a ledger of ten million.
 */
export async function measureLedgerReading(bench: BenchStack): Promise<Measured> {
  const installation = await installOn(bench.stack.environment, 'ledger')
  const stores = openStores(installation.env)
  try {
    await step(`a ledger of ${thousands(events)} events`, () => storeLedger(stores.clickHouse, events))
    const rebuilt = await measureRebuild(
      stores.clickHouse,
      join(bench.stack.dir, 'state', installation.prefix),
    )
    const looked = await measureLookUps(stores.clickHouse)
    return {
      figures: [...rebuilt.figures, ...looked.figures],
      lost: [...rebuilt.lost, ...looked.lost],
    }
  } finally {
    await stores.close()
    await installation.remove()
  }
}

/** From no state at all to all partitions open, as the service opens them, all at once. */
async function measureRebuild(clickHouse: ClickHouse, directory: string): Promise<Measured> {
  const logger = createLog({ service: 'bench', level: 'warn', pretty: false })
  const metrics = createConsumingMetrics(createMetrics('bench'))
  const { signal } = new AbortController()
  const open = (number: number): Promise<OpenPartition> => {
    const end = BigInt(events / usagePartitions)
    return openPartition(number, {
      topic: 'usage.events.1',
      log: 1,
      partitions: usagePartitions,
      horizonMicros: deduplicationHorizonMs * 1000,
      filterBytes: 67_108_864,
      clickHouse,
      logger,
      metrics,
      directoryOf: (partition) => join(directory, `p-${partition}`),
      // The log itself is as if retention had taken all of it.
      readRecordAt: async () => null,
      fetchOffsetRange: async () => ({ earliest: end, end }),
      identityOf: async () => Buffer.alloc(20),
      signal,
    })
  }
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const opened = await Promise.all(Array.from({ length: usagePartitions }, (_, number) => open(number)))
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(before)
  const lost: string[] = []
  for (const [partition, { state, nextOffset }] of opened.entries()) {
    const claims = await state.findClaims(
      await identitiesOf(clickHouse, partition, usagePartitions * 125, 10_000),
    )
    const unknown = claims.filter((claim) => claim === undefined).length
    if (unknown > 0) lost.push(`${unknown} of 10000 identities are unknown after the rebuild`)
    if (nextOffset !== BigInt(events / usagePartitions))
      lost.push(`partition ${partition} ends at ${nextOffset}`)
    await state.close()
  }
  await rm(directory, { recursive: true, force: true })
  finish('✔', `rebuilt in ${seconds.toFixed(1)} s`)
  return {
    figures: [
      figureOf('rebuild_10m', 's', [seconds], { limit: rebuildLimitSeconds }),
      figureOf('rebuild_10m_cpu', 'µs/row', [(user + system) / events]),
      figureOf('rebuild_10m_memory', 'MB RSS', [process.resourceUsage().maxRSS / 1000]),
    ],
    lost,
  }
}

/** Half of what is asked was accepted before, anywhere in the ledger; the other half was never there. */
async function measureLookUps(clickHouse: ClickHouse): Promise<Measured> {
  const rates: number[] = []
  const lost: string[] = []
  for (let round = 0; round < lookUpRounds; round += 1) {
    const stride = (2 * events) / lookUps
    const asked = await identitiesOf(clickHouse, round, stride, lookUps)
    const startedAt = performance.now()
    const found = await findByIdentity(clickHouse, asked)
    rates.push((lookUps * 1000) / (performance.now() - startedAt))
    const known = asked.filter((identity) => found.has(identityText(identity))).length
    if (known !== lookUps / 2)
      lost.push(`${known} instead of ${lookUps / 2} identities were found in the ledger`)
  }
  finish('✔', `${thousands(Math.round(rates[0] ?? 0))} events older than the horizon per second`)
  return { figures: [figureOf('older_than_horizon', 'events/s', rates)], lost }
}
