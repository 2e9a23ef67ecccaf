import { type Producer as Client, type Connection, createAPI, produceV11, Writer } from '@platformatic/kafka'
import { Failure } from '../process/failure.ts'
import type { OutboundMessage } from './record.ts'
import { encodeRecordBatch } from './record-batch.ts'

/**
 * Resolves when every in-sync replica has all of the messages. Rejects as the library does; what some brokers have
 * acknowledged nevertheless is read by acknowledgedPartitions.
 */
export type Produce = (topic: string, messages: readonly OutboundMessage[]) => Promise<void>

type ByPartition = Map<number, OutboundMessage[]>
type ProduceAnswer = ReturnType<typeof produceV11.parseResponse>

const allReplicas = -1
const produceKey = 0

function createRequest(topic: string, byPartition: ByPartition, timeoutMs: number): Writer {
  const now = Date.now()
  return Writer.create()
    .appendString(null)
    .appendInt16(allReplicas)
    .appendInt32(timeoutMs)
    .appendArray([topic], (ofTopic, name) => {
      ofTopic.appendString(name).appendArray([...byPartition], (ofPartition, [partition, messages]) => {
        const records = encodeRecordBatch(messages, now)
        ofPartition
          .appendInt32(partition)
          .appendUnsignedVarInt(records.length + 1)
          .append(records)
      })
    })
    .appendTaggedFields()
}

const apiOf = (version: number) =>
  createAPI<Parameters<typeof createRequest>, ProduceAnswer>(
    produceKey,
    version,
    createRequest,
    produceV11.parseResponse,
  )

/** These versions differ in what brokers may answer, not in what is asked; the first came with Kafka 2.8. */
const apis = [11, 10, 9].map(apiOf)

/**
 * The library finds brokers, connects, and matches answers with questions; the records are our own: its encoding of a record takes
 * three times the CPU and makes a dozen objects.
 */
export function createProduce(client: Client, timeoutMs: number): Produce {
  let api: ReturnType<typeof apiOf> | undefined

  async function ask(leader: number, topic: string, byPartition: ByPartition): Promise<void> {
    const connection = await connectionTo(client, leader)
    await api?.async(connection, topic, byPartition, timeoutMs)
  }

  return async (topic, messages) => {
    api ??= await findApi(client)
    const { topics } = await client.metadata({ topics: [topic] })
    const byLeader = new Map<number, ByPartition>()
    for (const message of messages) {
      // The library would take the remainder of a number beyond the topic's, in silence.
      const leader = topics.get(topic)?.partitions[message.partition]?.leader
      if (leader === undefined) throw unknownPartition(topic, message.partition)
      const byPartition = entryOf(byLeader, leader, (): ByPartition => new Map())
      entryOf(byPartition, message.partition, (): OutboundMessage[] => []).push(message)
    }
    const asked = [...byLeader]
    const answers = await Promise.allSettled(
      asked.map(([leader, byPartition]) => ask(leader, topic, byPartition)),
    )
    const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
    if (errors.length === 0) return
    const offsets = asked.flatMap(([, byPartition], at) =>
      answers[at]?.status === 'fulfilled' ? [...byPartition.keys()].map((partition) => ({ partition })) : [],
    )
    throw Object.assign(new AggregateError(errors, 'Producing messages failed.'), { produced: { offsets } })
  }
}

async function findApi(client: Client): Promise<ReturnType<typeof apiOf>> {
  const produce = (await client.listApis()).find(({ apiKey }) => apiKey === produceKey)
  const found = apis.find(
    ({ version }) => produce && produce.minVersion <= version && version <= produce.maxVersion,
  )
  if (found) return found
  throw new Failure("the broker does not know today's way of producing; Kafka 2.8 or later is needed", {
    code: 'kafka_refused',
    retryable: false,
  })
}

async function connectionTo(client: Client, leader: number): Promise<Connection> {
  const connection = (await client.connectToBrokers([leader])).get(leader)
  if (connection === undefined) throw new Error(`broker ${leader}, which leads a partition, is not known`)
  return connection
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

const unknownPartition = (topic: string, partition: number): Failure =>
  new Failure(`the topic ${topic} has no partition ${partition}`, { code: 'topic_unknown', retryable: true })
