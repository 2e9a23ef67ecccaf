import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { answerOrder } from './worker.ts'

export type ConsumeOrder = {
  brokers: string
  topic: string
  groupId: string
  records: number
  minBytes: number
  maxWaitTimeMs: number
  maxBytesPerPartition: number
}

export type ConsumeReport = { records: number; seconds: number }

/** The ceiling of the aggregator's reading side: the same consumer and fetches, and every batch dropped. */
async function consume(order: ConsumeOrder): Promise<ConsumeReport> {
  const { brokers, topic, records: expected, ...fetching } = order
  const log = createLog({ service: 'consume-alone', level: 'warn', pretty: false })
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'bench-consume', log })
  const all = Promise.withResolvers<void>()
  let records = 0
  const consumer = createConsumer(kafka, {
    ...fetching,
    topics: [topic],
    async handleBatch(_topic, _partition, batch) {
      records += batch.length
      if (records >= expected) all.resolve()
    },
    onFatal: all.reject,
  })
  await consumer.start()
  const startedAt = performance.now()
  await all.promise
  const seconds = (performance.now() - startedAt) / 1000
  await consumer.stop()
  await kafka.disconnect()
  return { records, seconds }
}

answerOrder(consume)
