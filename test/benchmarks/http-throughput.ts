import { topicProvision } from '@tidemark/infra/installation/topic-provision.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { topics, usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { finish, thousands } from '../demonstration/print.ts'
import { installOn } from '../installation.ts'
import { waitUntilReady } from '../service-processes.ts'
import { benchTenant } from './bench-event.ts'
import type { BenchStack } from './bench-stack.ts'
import type { RouteReport } from './empty-route.ts'
import { figureOf, type Measured, medianOf } from './figure.ts'
import type { LoadOrder, LoadReport } from './load-generator.ts'
import { checkLog } from './log-check.ts'
import type { ProduceOrder, ProduceReport } from './produce-alone.ts'
import { runWorker, startWorker } from './worker.ts'

const rounds = 3
const timing = { warmUpMs: 500, durationMs: 2_500 }
const batch = { connections: 8, eventsPerRequest: 500 }
const single = { connections: 64, eventsPerRequest: 1 }
const bodyLimitBytes = 5_242_880

type Rated = { events: number; seconds: number }

/** Events per second through ingest beside its two ceilings, in turns, so that a disturbance meets all of them. */
export async function measureHttp(bench: BenchStack): Promise<Measured> {
  const installation = await installOn(bench.stack.environment, 'http')
  const { env, prefix } = installation
  const { key } = await installation.createTenant(benchTenant)
  const alonePrefix = `${prefix}alone-`
  await provisionUnreadTopic(env, alonePrefix)
  const ingest = await bench.spawn('ingest', env, 'http')
  await waitUntilReady(ingest)
  const route = startWorker<RouteReport>('empty-route.ts', { bodyLimitBytes })
  const routePort = (await route.report).port
  const ingestPort = Number(new URL(ingest.url).port)

  const acknowledged = new Map<string, number>()
  const load = (port: number, run: string, shape: typeof batch): Promise<LoadReport> =>
    runWorker('load-generator.ts', { ...timing, ...shape, port, key, run } satisfies LoadOrder)
  const measured = async (run: string, shape: typeof batch): Promise<LoadReport> => {
    const report = await load(ingestPort, run, shape)
    acknowledged.set(run, report.acknowledged)
    return report
  }
  const produce = (): Promise<ProduceReport> =>
    runWorker('produce-alone.ts', {
      ...timing,
      env,
      prefix: alonePrefix,
      publishers: batch.connections,
      batchEvents: batch.eventsPerRequest,
    } satisfies ProduceOrder)

  const batches: LoadReport[] = []
  const batchRoutes: Rated[] = []
  const producers: Rated[] = []
  const singles: LoadReport[] = []
  const singleRoutes: Rated[] = []
  for (let round = 1; round <= rounds; round += 1) {
    batches.push(await measured(`batch${round}`, batch))
    batchRoutes.push(await load(routePort, `empty${round}`, batch))
    producers.push(await produce())
    singles.push(await measured(`single${round}`, single))
    singleRoutes.push(await load(routePort, `empty${round}`, single))
    const latest = [batches, batchRoutes, producers, singles, singleRoutes].map(
      (all) => rates(all).at(-1) ?? 0,
    )
    const [a, b, c, d, e] = latest.map((rate) => thousands(Math.round(rate)))
    finish(
      '✔',
      `HTTP ${round}/${rounds}: batches ${a}, empty route ${b}, kafkajs ${c}; single ${d}, empty route ${e} events/s`,
    )
  }
  route.stop()
  await ingest.stop()

  const check = await checkLog(env, acknowledged)
  const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0)
  const found = `${thousands(check.records)} records in the log for ${thousands(total)} acknowledged events`
  finish(check.missing === 0 ? '✔' : '✘', `${found}, ${thousands(check.missing)} missing`)
  await installation.remove()

  const limit = Math.min(medianOf(rates(batchRoutes)), medianOf(rates(producers)))
  const singleLimit = medianOf(rates(singleRoutes))
  return {
    figures: [
      figureOf('http_batch_500', 'events/s', rates(batches), { limit, latenciesMicros: latencies(batches) }),
      figureOf('http_batch_500_empty_route', 'events/s', rates(batchRoutes)),
      figureOf('http_batch_500_kafkajs', 'events/s', rates(producers)),
      figureOf('http_single', 'events/s', rates(singles), {
        limit: singleLimit,
        latenciesMicros: latencies(singles),
      }),
      figureOf('http_single_empty_route', 'events/s', rates(singleRoutes)),
    ],
    lost: check.missing === 0 ? [] : [`${check.missing} events acknowledged over HTTP are not in the log`],
  }
}

/** Like usage.events, but only for the producer that runs alone. */
async function provisionUnreadTopic(env: Record<string, string>, prefix: string): Promise<void> {
  const log = createLog({ service: 'bench', level: 'warn', pretty: true })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'bench', log })
  const specs = topics.filter(({ name }) => name === usageEventsTopic)
  await provisionTopics(
    kafka,
    specs.map((spec) => topicProvision(spec, { prefix, replicationFactor: 1 })),
  )
  await kafka.disconnect()
}

const rates = (reports: readonly Rated[]): number[] => reports.map(({ events, seconds }) => events / seconds)

const latencies = (reports: readonly LoadReport[]): number[] =>
  reports.flatMap(({ latenciesMicros }) => latenciesMicros)
