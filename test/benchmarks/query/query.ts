import { formatInstant } from '@tidemark/schemas/instant.ts'
import { heading, step, thousands } from '../../demonstration/print.ts'
import { openStores } from '../../demonstration/stores.ts'
import { installOn } from '../../installation.ts'
import type { BenchStack } from '../bench-stack.ts'
import type { Figure, Measured } from '../figure.ts'
import { startWorker } from '../worker.ts'
import { measureQueries } from './query-times.ts'
import { awaitMerges, measureLate, measureSealing } from './sealing-times.ts'
import { createUsageClient } from './usage-client.ts'
import { dataSet, dataSetOf, writeDataSet } from './usage-data-set.ts'
import type { UsageServerReport } from './usage-server.ts'

const meters = [
  { key: 'bytes', eventType: dataSet.type, aggregation: 'sum', valuePath: 'bytes' },
  { key: 'users', eventType: dataSet.type, aggregation: 'unique-count', valuePath: 'user' },
]

/** Sealing and usage queries over a month of one tenant, for each size of it. */
export async function measureQuery(bench: BenchStack, sizes: readonly number[]): Promise<Measured> {
  const figures: Figure[] = []
  for (const events of sizes) {
    heading(`${thousands(events)} events`)
    figures.push(...(await measureSize(bench, events)))
  }
  return { figures, lost: [] }
}

async function measureSize(bench: BenchStack, events: number): Promise<Figure[]> {
  const installation = await installOn(bench.stack.environment, 'query')
  const { key } = await installation.createTenant(dataSet.tenant)
  const { env, database } = installation
  const stores = openStores(env)
  const set = dataSetOf(events, Date.now())
  const suffix = `${events / 1_000_000}m`
  try {
    await step('Rows written inside ClickHouse', () => writeDataSet(stores.clickHouse, set))
    const server = startWorker<UsageServerReport>('query/usage-server.ts', { env, database })
    const client = createUsageClient((await server.report).url, key)
    for (const meter of meters) await client.makeMeter(meter)
    const sealing = await measureSealing(stores.clickHouse, set, meters.length, suffix)
    await step('Merges of what was written at once have ended', () => awaitMerges(stores.clickHouse))
    const range = { from: formatInstant(set.from), to: formatInstant(set.to) }
    const queries = await measureQueries(client, range, suffix)
    const late = await measureLate(stores.clickHouse, set, suffix)
    server.stop()
    return [...queries, ...sealing, late]
  } finally {
    await stores.close()
    await installation.remove()
  }
}
