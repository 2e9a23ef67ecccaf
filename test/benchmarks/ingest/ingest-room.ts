import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { finish, thousands } from '../../demonstration/print.ts'
import { openStores } from '../../demonstration/stores.ts'
import { until } from '../../eventually.ts'
import { type Installation, installOn } from '../../installation.ts'
import { type ServiceProcess, waitUntilReady } from '../../service-processes.ts'
import { benchTenant } from '../bench-event.ts'
import type { BenchStack } from '../bench-stack.ts'
import { countLedger } from '../ledger-count.ts'
import type { LoadOrder, LoadReport } from '../load-generator.ts'
import { checkLog, type LogCheck } from '../log-check.ts'
import type { PacedOrder } from '../paced-load.ts'
import { sampleProcess } from '../process-sampler.ts'
import { runWorker } from '../worker.ts'

/** How requests come: so many connections, each with its next request when its last is answered. */
export type Shape = { name: string; connections: number; eventsPerRequest: number }

type Unaddressed<Order> = Omit<Order, 'port' | 'key'>

export type RoomOptions = {
  /** With an aggregator that drains what comes in at the same time. */
  withAggregator?: boolean
  /** With Redis remembering the acknowledged ids. */
  withMemory?: boolean
}

export type IngestRoom = {
  readonly installation: Installation
  readonly key: string
  readonly url: string
  readonly aggregator: ServiceProcess | undefined
  /** Runs a load generator in a process of its own, and keeps what was acknowledged to it. */
  load(order: Unaddressed<LoadOrder> | Unaddressed<PacedOrder>): Promise<LoadReport>
  /** The most resident memory that the process ever had, in bytes. */
  peakBytes(): number
  /** A gauge of the process, summed over its labels. */
  gauge(name: string): Promise<number>
  /** Acknowledged events that the aggregator has not decided yet. */
  behind(): Promise<number>
  /** Waits until the aggregator has decided all of them. */
  caughtUp(): Promise<void>
  /** Stops the services and looks for every acknowledged event in the log; what is missing, in words. */
  close(): Promise<string[]>
}

const drainWithinMs = 120_000

/** One ingest process with an installation of its own; the name is its prefix and its logs' folder. */
export async function openIngestRoom(
  bench: BenchStack,
  name: string,
  { withAggregator = false, withMemory = false }: RoomOptions = {},
): Promise<IngestRoom> {
  const installation = await installOn(bench.stack.environment, name)
  const { env } = installation
  const { key, tenant } = await installation.createTenant(benchTenant)
  if (withMemory)
    await installation
      .openPool('tidemark_ingest')
      .query('UPDATE access.tenants SET remembers_ids = true WHERE id = $1', [tenant])
  const ingest = await bench.spawn('ingest', env, name)
  const AGGREGATOR_STATE_DIRECTORY = join(bench.stack.dir, 'state', installation.prefix)
  const aggregator = withAggregator
    ? await bench.spawn('aggregator', { ...env, AGGREGATOR_STATE_DIRECTORY }, name)
    : undefined
  for (const service of [ingest, aggregator]) if (service) await waitUntilReady(service)
  const sampler = sampleProcess(ingest.process.pid ?? 0)
  const acknowledged = new Map<string, number>()
  const port = Number(new URL(ingest.url).port)

  async function waitForLedger(records: number): Promise<void> {
    const stores = openStores(env)
    const startedAt = performance.now()
    const before = await countLedger(stores)
    while ((await countLedger(stores)) < records) {
      if (performance.now() - startedAt > drainWithinMs)
        throw new Error(`the log was not drained in time: see ${aggregator?.logFile}`)
      await pause(50)
    }
    await stores.close()
    const behind = Math.max(0, records - before)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    finish(
      '✔',
      `The aggregator was ${thousands(behind)} records behind at the end, and is done after ${seconds} s`,
    )
  }

  async function behind(): Promise<number> {
    const stores = openStores(env)
    const decided = await countLedger(stores)
    await stores.close()
    return Math.max(0, totalOf(acknowledged) - decided)
  }

  return {
    installation,
    key,
    url: ingest.url,
    aggregator,
    async load(order) {
      const generator = 'rate' in order ? 'paced-load.ts' : 'load-generator.ts'
      const report = await runWorker<LoadReport>(generator, { ...order, port, key })
      acknowledged.set(order.run, report.acknowledged)
      return report
    },
    peakBytes: sampler.peakBytes,
    async gauge(gaugeName) {
      const text = await (await fetch(`${ingest.url}/metrics`)).text()
      const values = text.split('\n').filter((line) => line.startsWith(`${gaugeName}{`))
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    behind,
    caughtUp: () =>
      until('the aggregator has decided all', async () => (await behind()) === 0, {
        timeout: drainWithinMs,
        interval: 250,
      }),
    async close() {
      sampler.stop()
      await ingest.stop()
      const check = await checkLog(env, acknowledged)
      if (aggregator) await waitForLedger(check.records)
      await aggregator?.stop()
      await installation.remove()
      return tellCheck(name, check, acknowledged)
    },
  }
}

function tellCheck(name: string, check: LogCheck, acknowledged: ReadonlyMap<string, number>): string[] {
  const total = totalOf(acknowledged)
  const found = `${thousands(check.records)} records in the log for ${thousands(total)} acknowledged events`
  finish(check.missing === 0 ? '✔' : '✘', `${found}, ${thousands(check.missing)} missing`)
  return check.missing === 0 ? [] : [`${name}: ${check.missing} acknowledged events are not in the log`]
}

const totalOf = (acknowledged: ReadonlyMap<string, number>): number =>
  [...acknowledged.values()].reduce((sum, count) => sum + count, 0)
