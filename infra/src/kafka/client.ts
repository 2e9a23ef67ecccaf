import { type Admin, Kafka, type LogEntry, logLevel } from 'kafkajs'
import type { Log } from '../process/log.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, isBrokerAnswer, kafkaErrorType } from './kafka-failure.ts'
import { silenceNegativeTimeouts } from './negative-timeouts.ts'

export type KafkaSettings = {
  /** host:port of each broker to start from. */
  brokers: string[]
  clientId: string
  log: Log
  /** How long a connection may take to open. Default 1,000 ms: a broker near by answers at once or not at all. */
  connectionTimeoutMs?: number
  /** How long a request may stay unanswered. Default 10,000 ms, so that a vanished broker is noticed in good time. */
  requestTimeoutMs?: number
}

/** Everything of this folder starts from it; what it hands out is kafkajs' own and stays inside this folder. */
export type KafkaClient = {
  readonly log: Log
  /** A kafkajs client of its own: kafkajs shares offsets between the consumers of one client, which must not be. */
  open(overrides?: { requestTimeoutMs?: number; retries?: number }): Kafka
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

const logTo = (log: Log) => () => (entry: LogEntry) => {
  const { message, logger: _logger, timestamp: _timestamp, ...fields } = entry.log
  const level = entry.level === logLevel.ERROR && !noisyNamespaces.has(entry.namespace) ? 'warn' : 'debug'
  log[level]({ ...fields, kafkajs: entry.namespace }, message)
}

export function createKafka(settings: KafkaSettings): KafkaClient {
  silenceNegativeTimeouts()
  const open: KafkaClient['open'] = (overrides = {}) =>
    new Kafka({
      clientId: settings.clientId,
      brokers: settings.brokers,
      connectionTimeout: settings.connectionTimeoutMs ?? 1_000,
      requestTimeout: overrides.requestTimeoutMs ?? settings.requestTimeoutMs ?? 10_000,
      // Short steps: after an outage nobody waits longer than a second before the broker is asked again.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: overrides.retries ?? 5 },
      logLevel: logLevel.INFO,
      logCreator: logTo(settings.log),
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
