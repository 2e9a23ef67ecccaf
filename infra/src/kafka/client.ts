import { Producer } from '@platformatic/kafka'
import { type Admin, Kafka, type LogEntry, logLevel } from 'kafkajs'
import type { Log } from '../process/log.ts'
import { kafkajsSecurity, platformaticSecurity } from './client-security.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, isBrokerAnswer, kafkaErrorType } from './kafka-failure.ts'
import { silenceNegativeTimeouts } from './negative-timeouts.ts'
import type { KafkaSecurity } from './security.ts'

export type KafkaSettings = {
  /** host:port of each broker to start from. */
  brokers: string[]
  /** Not encrypted and without a name unless given; see kafkaAccess. */
  security?: KafkaSecurity
  clientId: string
  log: Log
  /** How long a connection may take to open. Default 1,000 ms: a broker near by answers at once or not at all; 3,000 with TLS. */
  connectionTimeoutMs?: number
  /** How long a request may stay unanswered. Default 10,000 ms, so that a vanished broker is noticed in good time. */
  requestTimeoutMs?: number
}

/** Everything of this folder starts from it; what it hands out is its libraries' own and stays inside this folder. */
export type KafkaClient = {
  readonly log: Log
  /** A kafkajs client of its own: kafkajs shares offsets between the consumers of one client, which must not be. */
  open(overrides?: { requestTimeoutMs?: number; retries?: number }): Kafka
  /** A producer with connections of its own that tries nothing twice by itself. */
  openProducer(requestTimeoutMs: number): Producer
  /** One connected admin for all questions; it is made anew after a failure. */
  withAdmin<T>(doing: string, ask: (admin: Admin) => Promise<T>): Promise<T>
  disconnect(): Promise<void>
}

/** kafkajs calls every lost connection an error although it retries; only what it cannot retry is worth a warning. */
const noisyNamespaces = new Set([
  'Connection',
  'BrokerPool',
  'RequestQueue',
  'Producer',
  'Consumer',
  'Runner',
])

/** Requests that one connection may have under way; more than any batcher sends at a time, so that none waits here. */
const producerRequests = 32
/** A leader that moved is told by the broker's refusal at once; this only bounds how long a cluster is never looked at. */
const metadataMaxAgeMs = 60_000

const logTo = (log: Log) => () => (entry: LogEntry) => {
  const { message, logger: _logger, timestamp: _timestamp, ...fields } = entry.log
  const level = entry.level === logLevel.ERROR && !noisyNamespaces.has(entry.namespace) ? 'warn' : 'debug'
  log[level]({ ...fields, kafkajs: entry.namespace }, message)
}

export function createKafka(settings: KafkaSettings): KafkaClient {
  silenceNegativeTimeouts()
  const { brokers, security = { warnings: [] } } = settings
  for (const warning of security.warnings) settings.log.warn(warning)
  const connectionTimeoutMs = settings.connectionTimeoutMs ?? (security.tls ? 3_000 : 1_000)
  const open: KafkaClient['open'] = (overrides = {}) =>
    new Kafka({
      clientId: settings.clientId,
      brokers,
      ...kafkajsSecurity(security),
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: overrides.requestTimeoutMs ?? settings.requestTimeoutMs ?? 10_000,
      // Short steps: after an outage nobody waits longer than a second before the broker is asked again.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: overrides.retries ?? 5 },
      logLevel: logLevel.INFO,
      logCreator: logTo(settings.log),
    })

  const openProducer: KafkaClient['openProducer'] = (requestTimeoutMs) =>
    new Producer({
      clientId: settings.clientId,
      bootstrapBrokers: brokers,
      ...platformaticSecurity(security, brokers),
      connectTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      timeout: requestTimeoutMs,
      maxInflights: producerRequests,
      metadataMaxAge: metadataMaxAgeMs,
      retries: 0,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
    })

  let admin: Promise<Admin> | undefined
  const connectAdmin = async (): Promise<Admin> => {
    const connecting = open({ retries: 3 }).admin()
    await connecting.connect()
    return connecting
  }
  const dropAdmin = async (dropped: Promise<Admin>): Promise<void> => {
    if (admin === dropped) admin = undefined
    await dropped.then((connected) => connected.disconnect()).catch(() => {})
  }

  const withAdmin = async <T>(doing: string, ask: (admin: Admin) => Promise<T>, again = true): Promise<T> => {
    const reused = admin !== undefined
    admin ??= connectAdmin()
    const current = admin
    try {
      return await ask(await current)
    } catch (error) {
      // An admin asks for every topic that it ever met: one that was deleted since fails all questions about the others.
      const isAboutTopic = kafkaErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
      if (isBrokerAnswer(error) && !isAboutTopic) throw asKafkaFailure(error, doing)
      void dropAdmin(current)
      // The connection may have died long ago, unnoticed; a new one deserves the question once more.
      if (reused && again) return withAdmin(doing, ask, false)
      throw asKafkaFailure(error, doing)
    }
  }

  return {
    log: settings.log,
    open,
    openProducer,
    withAdmin: (doing, ask) => withAdmin(doing, ask),
    async disconnect() {
      if (admin !== undefined) await dropAdmin(admin)
    },
  }
}

/** Asks the cluster who it is; rejects with `kafka_unavailable` after `timeoutMs`. Returns how many brokers answer. */
export async function ping(kafka: KafkaClient, timeoutMs = 3_000): Promise<{ brokers: number }> {
  const asked = kafka.withAdmin('asking for the cluster', (admin) => admin.describeCluster())
  const late = () => asKafkaFailure(new Error(`no answer within ${timeoutMs} ms`), 'asking for the cluster')
  const cluster = await withDeadline(asked, timeoutMs, late)
  return { brokers: cluster.brokers.length }
}
