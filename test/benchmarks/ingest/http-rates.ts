import { topicProvision } from '@tidemark/infra/installation/topic-provision.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { topics, usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { finish, thousands } from '../../demonstration/print.ts'
import type { BenchStack } from '../bench-stack.ts'
import type { RouteReport } from '../empty-route.ts'
import { type Figure, figureOf, type Measured, medianOf } from '../figure.ts'
import type { LoadReport } from '../load-generator.ts'
import type { ProduceOrder, ProduceReport } from '../produce-alone.ts'
import { runWorker, startWorker } from '../worker.ts'
import { type IngestRoom, openIngestRoom, type RoomOptions, type Shape } from './ingest-room.ts'

export const single: Shape = { name: 'http_single', connections: 64, eventsPerRequest: 1 }
export const batch100: Shape = { name: 'http_batch_100', connections: 16, eventsPerRequest: 100 }
export const batch500: Shape = { name: 'http_batch_500', connections: 8, eventsPerRequest: 500 }
export const batch1000: Shape = { name: 'http_batch_1000', connections: 8, eventsPerRequest: 1_000 }

const rounds = 3
const timing = { warmUpMs: 1_000, durationMs: 3_000 }
const bodyLimitBytes = 5_242_880
const memoryLimitMegabytes = 350

type Rated = { events: number; seconds: number }

/** Events per second through ingest beside its two ceilings, in turns, so that a disturbance meets all of them. */
export async function measureRates(bench: BenchStack, shapes: readonly Shape[]): Promise<Measured> {
  const room = await openIngestRoom(bench, 'rates')
  const { env, prefix } = room.installation
  await provisionUnreadTopic(env, `${prefix}alone-`)
  const route = startWorker<RouteReport>('empty-route.ts', { bodyLimitBytes })
  const { port } = await route.report
  const taken: Taken[] = shapes.map((shape) => ({ shape, ingest: [], route: [], producer: [] }))
  for (let round = 1; round <= rounds; round += 1) {
    for (const { shape, ...reports } of taken) {
      reports.ingest.push(await room.load(orderOf(shape, round)))
      reports.route.push(
        await runWorker<LoadReport>('load-generator.ts', { ...orderOf(shape, round), port, key: 'none' }),
      )
      if (shape.eventsPerRequest > 1) reports.producer.push(await produceAlone(env, `${prefix}alone-`, shape))
      const [own, empty, alone] = [reports.ingest, reports.route, reports.producer].map(latestRate)
      finish(
        '✔',
        `${shape.name} ${round}/${rounds}: ingest ${own}, empty route ${empty}, producer alone ${alone} events/s`,
      )
    }
  }
  route.stop()
  const peak = figureOf('memory', 'MB RSS', [room.peakBytes() / 1e6], { limit: memoryLimitMegabytes })
  const lost = await room.close()
  return { figures: [...taken.flatMap(figuresBesideCeilings), peak], lost }
}

type Taken = { shape: Shape; ingest: LoadReport[]; route: LoadReport[]; producer: ProduceReport[] }

function figuresBesideCeilings({ shape: { name }, ingest, route, producer }: Taken): Figure[] {
  const ceilings = [route, producer].filter((each) => each.length > 0).map((each) => medianOf(rates(each)))
  return [
    figureOf(name, 'events/s', rates(ingest), {
      limit: Math.min(...ceilings),
      latenciesMicros: latencies(ingest),
    }),
    figureOf(`${name}_empty_route`, 'events/s', rates(route)),
    ...(producer.length === 0 ? [] : [figureOf(`${name}_producer_alone`, 'events/s', rates(producer))]),
  ]
}

/** The same shapes with something at work beside or behind ingest; `suffix` follows their names. */
export async function measureRatesWith(
  bench: BenchStack,
  shapes: readonly Shape[],
  { suffix, ...options }: RoomOptions & { suffix: string },
): Promise<Measured> {
  const room = await openIngestRoom(bench, suffix, options)
  const reports = new Map<Shape, LoadReport[]>(shapes.map((shape) => [shape, []]))
  const behind: number[] = []
  for (let round = 1; round <= rounds; round += 1) {
    for (const [shape, taken] of reports) {
      taken.push(await room.load(orderOf(shape, round)))
      finish('✔', `${shape.name}_${suffix} ${round}/${rounds}: ${latestRate(taken)} events/s`)
      if (!options.withAggregator) continue
      behind.push(await room.behind())
      // What one shape left behind would be drained beside the next.
      await room.caughtUp()
    }
  }
  const figures = [...reports].map(([{ name }, taken]) =>
    figureOf(`${name}_${suffix}`, 'events/s', rates(taken), { latenciesMicros: latencies(taken) }),
  )
  if (behind.length > 0) figures.push(figureOf(`behind_${suffix}`, 'events', behind))
  return { figures, lost: await room.close() }
}

const orderOf = (shape: Shape, round: number) => ({ ...timing, ...shape, run: `${shape.name}-${round}` })

const produceAlone = (
  env: IngestRoom['installation']['env'],
  prefix: string,
  { connections: publishers, eventsPerRequest: batchEvents }: Shape,
): Promise<ProduceReport> =>
  runWorker('produce-alone.ts', { ...timing, env, prefix, publishers, batchEvents } satisfies ProduceOrder)

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

const latestRate = (reports: readonly Rated[]): string => thousands(Math.round(rates(reports).at(-1) ?? 0))

const latencies = (reports: readonly LoadReport[]): number[] =>
  reports.flatMap(({ latenciesMicros }) => latenciesMicros)
