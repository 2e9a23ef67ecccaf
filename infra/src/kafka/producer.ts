import { setTimeout as delay } from 'node:timers/promises'
import type { Producer as Client } from '@platformatic/kafka'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, isBrokerAnswer } from './kafka-failure.ts'
import { createProduce, type Produce } from './produce.ts'
import { acknowledgedPartitions, hasStaleMetadata } from './produce-failure.ts'
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

/** A client, with what still waits for its answers. */
type Session = { readonly client: Client; readonly produce: Produce; waiting: number; isDiscarded: boolean }

const firstPauseMs = 50
const longestPauseMs = 500

/**
 * acks=-1, never idempotent (duplicates are free here, and a lost sequence would cost a stop). The library gets one
 * attempt at a time; after a failure that the broker did not state itself the whole client is replaced, connections
 * and all: one whose other end has vanished would only time out again. That is also what makes sending work again
 * within a second of a broker's return. What some partitions have acknowledged is not sent to them again.
 */
export function createProducer(kafka: KafkaClient, options: ProducerOptions = {}): Producer {
  const sendTimeoutMs = options.sendTimeoutMs ?? 5_000
  let session: Session | undefined
  let closed = false

  const openSession = (): Session => {
    const client = kafka.openProducer(sendTimeoutMs)
    return { client, produce: createProduce(client, sendTimeoutMs), waiting: 0, isDiscarded: false }
  }

  /** Closing cuts its connections, so it waits until nothing waits for an answer on them. */
  const closeUnused = async (current: Session): Promise<void> => {
    if (current.isDiscarded && current.waiting === 0) await current.client.close().catch(() => {})
  }

  const discard = (broken: Session): Promise<void> => {
    if (session === broken) session = undefined
    broken.isDiscarded = true
    return closeUnused(broken)
  }

  const within = async <T>(leftMs: number, ask: (session: Session) => Promise<T>): Promise<T> => {
    session ??= openSession()
    const current = session
    current.waiting += 1
    try {
      const late = () => new Error(`no acknowledgement within ${sendTimeoutMs} ms`)
      return await withDeadline(ask(current), leftMs, late)
    } catch (error) {
      if (!isBrokerAnswer(error)) void discard(current)
      else if (hasStaleMetadata(error)) current.client.clearMetadata()
      throw error
    } finally {
      current.waiting -= 1
      void closeUnused(current)
    }
  }

  return {
    async connect() {
      try {
        await within(sendTimeoutMs, ({ client }) => client.metadata({ topics: [] }))
      } catch (error) {
        throw asKafkaFailure(error, 'connecting a producer')
      }
    },
    async send(topic, messages) {
      const deadlineMs = performance.now() + sendTimeoutMs
      let left = messages
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        if (closed)
          throw new Failure('the producer is closed', { code: 'kafka_unavailable', retryable: true })
        const attempt = left
        try {
          await within(deadlineMs - performance.now(), ({ produce }) => produce(topic, attempt))
          return
        } catch (error) {
          const failure = asKafkaFailure(error, `sending ${left.length} messages to ${topic}`)
          if (!failure.retryable || performance.now() + pauseMs >= deadlineMs) throw failure
          const acknowledged = acknowledgedPartitions(error)
          if (acknowledged.size > 0) left = left.filter(({ partition }) => !acknowledged.has(partition))
          if (left.length === 0) return
          await delay(pauseMs)
        }
      }
    },
    async disconnect() {
      closed = true
      if (session !== undefined) await discard(session)
    },
  }
}
