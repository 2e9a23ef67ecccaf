import { setTimeout as delay } from 'node:timers/promises'
import type { Producer as KafkajsProducer } from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, isBrokerAnswer } from './kafka-failure.ts'
import type { OutboundMessage } from './record.ts'

export type ProducerOptions = {
  /** A send that every in-sync replica has not acknowledged by then is refused. Default 5,000 ms. */
  sendTimeoutMs?: number
}

export type Producer = {
  /** Rejects with `kafka_unavailable` where no broker answers; a later send connects by itself all the same. */
  connect(): Promise<void>
  /**
   * Resolves when every in-sync replica has all of the messages. Rejects with a Failure: `kafka_unavailable` or
   * `topic_unknown` (retryable; the messages may or may not be in the log, sending them again is safe),
   * `record_too_large` or `kafka_refused` (not retryable). It is not split: see createBatcher.
   */
  send(topic: string, messages: readonly OutboundMessage[]): Promise<void>
  disconnect(): Promise<void>
}

type Session = { producer: KafkajsProducer; ready: Promise<void> }

const firstPauseMs = 50
const longestPauseMs = 500

/**
 * acks=-1, never idempotent (kafkajs' idempotent mode can lose; duplicates are free here). kafkajs keeps using a
 * connection whose other end has vanished, and its retries have no deadline; so it gets one attempt at a time, and after
 * a failure that the broker did not state itself the whole kafkajs producer is replaced. That is also what makes
 * sending work again within a second of a broker's return.
 */
export function createProducer(kafka: KafkaClient, options: ProducerOptions = {}): Producer {
  const sendTimeoutMs = options.sendTimeoutMs ?? 5_000
  let session: Session | undefined
  let closed = false

  const openSession = (): Session => {
    const client = kafka.open({ requestTimeoutMs: sendTimeoutMs, retries: 0 })
    const producer = client.producer({
      allowAutoTopicCreation: false,
      idempotent: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    })
    const ready = producer.connect()
    ready.catch(() => {})
    return { producer, ready }
  }

  /** Disconnecting lets the requests still in flight finish, so nothing waits for it. */
  const discard = (broken: Session): void => {
    if (session === broken) session = undefined
    broken.producer.disconnect().catch(() => {})
  }

  const attempt = async (
    topic: string,
    messages: readonly OutboundMessage[],
    deadlineMs: number,
  ): Promise<void> => {
    session ??= openSession()
    const current = session
    const leftMs = deadlineMs - performance.now()
    const sent = current.ready.then(() =>
      current.producer.send({ topic, messages: [...messages], acks: -1, timeout: Math.ceil(leftMs) }),
    )
    try {
      await withDeadline(sent, leftMs, () => new Error(`no acknowledgement within ${sendTimeoutMs} ms`))
    } catch (error) {
      if (!isBrokerAnswer(error)) discard(current)
      throw error
    }
  }

  return {
    async connect() {
      session ??= openSession()
      const current = session
      try {
        const late = () => new Error(`no connection within ${sendTimeoutMs} ms`)
        await withDeadline(current.ready, sendTimeoutMs, late)
      } catch (error) {
        discard(current)
        throw asKafkaFailure(error, 'connecting a producer')
      }
    },
    async send(topic, messages) {
      const deadlineMs = performance.now() + sendTimeoutMs
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        if (closed)
          throw new Failure('the producer is closed', { code: 'kafka_unavailable', retryable: true })
        try {
          return await attempt(topic, messages, deadlineMs)
        } catch (error) {
          const failure = asKafkaFailure(error, `sending ${messages.length} messages to ${topic}`)
          if (!failure.retryable || performance.now() + pauseMs >= deadlineMs) throw failure
          await delay(pauseMs)
        }
      }
    },
    async disconnect() {
      closed = true
      await session?.producer.disconnect().catch(() => {})
    },
  }
}
