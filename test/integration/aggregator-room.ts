import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { inject } from 'vitest'
import { until } from '../eventually.ts'
import { type Installation, installOn } from '../installation.ts'
import { type ServiceProcess, spawnService, waitUntilReady } from '../service-processes.ts'
import { openUsageProducer, type UsageProducer } from '../usage-producer.ts'

/** How long a test waits for what the servers do in their own time. */
export const patience = { timeout: 60_000, interval: 50 }

const faultEntry = join(import.meta.dirname, '..', 'aggregator-with-faults.ts')

/**
 * Counted in the tables as a bill reads them. Duplicates are no figure of their own: a producer that repeats a send makes
 * more of them than a test has sent; they are what remains of the offsets.
 */
export type Truth = {
  /** Offsets in Kafka without a ledger row. */
  missing: number
  accepted: number
  conflict: number
  rejected: number
  /** Raw events, and how many different ones they are. */
  raw: number
  rawIdentities: number
  /** Offsets that the ledger counts in a cell, accepted or corrected, without their raw event, and the reverse. */
  unmatched: number
  /** Rows of the ledger that a copy has too little or too much. */
  byIdentityOff: number
  byCellOff: number
}

/** The truth where `accepted` events were billed once and nothing was refused. */
export const exactly = (accepted: number): Truth => ({
  missing: 0,
  accepted,
  conflict: 0,
  rejected: 0,
  raw: accepted,
  rawIdentities: accepted,
  unmatched: 0,
  byIdentityOff: 0,
  byCellOff: 0,
})

export type AggregatorRoom = {
  installation: Installation
  producer: UsageProducer
  kafka: KafkaClient
  clickHouse: ClickHouse
  stateDirectory: string
  /** Started and ready, with settings of its own beside the installation's. */
  start(env?: Record<string, string>): Promise<ServiceProcess>
  /** Started with a fault; it may end before it is ready. */
  startFaulty(env: Record<string, string>): Promise<ServiceProcess>
  /** Waits until every offset in Kafka has its ledger row. */
  drained(): Promise<void>
  /** Offsets that have their ledger row. */
  countLedger(): Promise<number>
  truth(): Promise<Truth>
  /** Resolves with the exit code and signal of a process that ends by itself. */
  ended(service: ServiceProcess): Promise<{ code: number | null; signal: string | null; log: string }>
  close(): Promise<void>
}

/** Small waits, so that a test shows in seconds what takes minutes in production. */
const quick = {
  AGGREGATOR_FETCH_MIN_BYTES: '1',
  AGGREGATOR_FETCH_MAX_WAIT_MS: '50',
  // The least that a broker allows: after a kill -9 the group waits for so long.
  AGGREGATOR_SESSION_TIMEOUT_MS: '6000',
  AGGREGATOR_WATERMARK_INTERVAL_MS: '200',
}

/** An installation with an aggregator that is started and stopped at will, and the truth about what it wrote. */
export async function openAggregatorRoom(
  name: string,
  stack: StackEnvironment = inject('stackEnvironment'),
): Promise<AggregatorRoom> {
  const installation = await installOn(stack, name)
  const { env, prefix, database } = installation
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-aggregator-'))
  const stateDirectory = join(directory, 'state')
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const kafka = createKafka({
    brokers: (env.KAFKA_BROKERS ?? '').split(','),
    clientId: 'aggregator-test',
    log,
  })
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
  })
  const producer = await openUsageProducer(env, prefix)
  const started: ServiceProcess[] = []

  const spawn = async (settings: Record<string, string>, entry?: string): Promise<ServiceProcess> => {
    const service = spawnService({
      name: 'aggregator',
      port: await freePort(),
      env: { ...env, ...quick, AGGREGATOR_STATE_DIRECTORY: stateDirectory, ...settings },
      logDirectory: join(directory, `process-${started.length}`),
      ...(entry === undefined ? {} : { entry }),
    })
    started.push(service)
    return service
  }

  const countOffsets = async (): Promise<number> => {
    const ends = await fetchEndOffsets(kafka, producer.topic)
    return Number([...ends.values()].reduce((sum, end) => sum + end, 0n))
  }

  return {
    installation,
    producer,
    kafka,
    clickHouse,
    stateDirectory,
    async start(settings = {}) {
      const service = await spawn(settings)
      await waitUntilReady(service)
      return service
    },
    startFaulty: (settings) => spawn(settings, faultEntry),
    drained: () =>
      until(
        'every offset has its ledger row',
        async () => (await countLedger(clickHouse)) >= (await countOffsets()),
        patience,
      ),
    countLedger: () => countLedger(clickHouse),
    async truth() {
      return {
        missing: (await countOffsets()) - (await countLedger(clickHouse)),
        ...(await readTables(clickHouse)),
      }
    },
    async ended(service) {
      const { process: child, logFile } = service
      await until('the process ends', () => (child.exitCode ?? child.signalCode) !== null, patience)
      return { code: child.exitCode, signal: child.signalCode, log: await readFile(logFile, 'utf8') }
    },
    async close() {
      await Promise.all(started.map((service) => service.stop('SIGKILL')))
      await producer.close()
      await kafka.disconnect()
      await clickHouse.close()
      await installation.remove()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const { stripe } = await freePorts()
  return stripe
}

const count = async (clickHouse: ClickHouse, sql: string): Promise<number> => {
  const [row] = await clickHouse.query<{ n: string }>(sql)
  return Number(row?.n)
}

const countLedger = (clickHouse: ClickHouse): Promise<number> =>
  count(clickHouse, 'SELECT uniqExact(log, partition, offset) AS n FROM usage_ledger')

async function readTables(clickHouse: ClickHouse): Promise<Omit<Truth, 'missing'>> {
  const verdict = (name: string) =>
    count(clickHouse, `SELECT count() AS n FROM usage_ledger FINAL WHERE verdict = '${name}'`)
  const difference = (left: string, right: string) =>
    count(
      clickHouse,
      `SELECT count() AS n FROM ((${left}) EXCEPT (${right}) UNION ALL (${right}) EXCEPT (${left}))`,
    )
  const columns = 'log, partition, offset, payload_hash'
  // A void has no type: it counts nowhere.
  const counted = `SELECT ${columns} FROM usage_ledger FINAL
    WHERE verdict IN ('accepted', 'correction') AND type != ''`
  const identified = `SELECT ${columns} FROM usage_ledger FINAL WHERE tenant != ''`
  return {
    accepted: await verdict('accepted'),
    conflict: await verdict('conflict'),
    rejected: await verdict('rejected'),
    raw: await count(clickHouse, 'SELECT count() AS n FROM usage_events FINAL'),
    rawIdentities: await count(clickHouse, 'SELECT uniqExact(tenant, source, id) AS n FROM usage_events'),
    unmatched: await difference(counted, `SELECT ${columns} FROM usage_events FINAL`),
    byIdentityOff: await difference(identified, `SELECT ${columns} FROM usage_ledger_by_identity FINAL`),
    byCellOff: await difference(
      counted,
      `SELECT ${columns} FROM usage_ledger_by_cell FINAL WHERE verdict != 'mark'`,
    ),
  }
}
