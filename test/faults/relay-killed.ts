import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { until } from '../eventually.ts'
import type { Fault } from './fault.ts'
import { openIngestRoom } from './ingest-process.ts'
import { compareWithLog, readLoggedEvents } from './logged-events.ts'
import { createSentEvents, type SentEvent } from './sent-events.ts'

const eventsPerStrike = 6_000
const batchEvents = 500
const inboundPartitions = 4
const patience = { timeout: 120_000, interval: 10 }

/**
 * The relay repeats what it had not committed, so copies are no fault; doubled are copies that the log's reader would not
 * recognise. Recovery counts from the kill and holds the start of a process and the group's session of the dead one.
 */
export const relayKilled: Fault = {
  about: 'ingest is killed with -9 while it relays from usage.inbound.<tenant>, and started again',
  strikes: 20,
  async open(context) {
    const room = await openIngestRoom('rkill', context)
    const { kafka, prefix } = room
    const producer = createProducer(kafka, { sendTimeoutMs: 30_000 })
    room.spawn()
    await room.untilReady()

    const countLogged = async (): Promise<number> => {
      const ends = await fetchEndOffsets(kafka, prefix + usageEventsTopic)
      return Number([...ends.values()].reduce((sum, end) => sum + end, 0n))
    }
    const produce = async (events: readonly SentEvent[]): Promise<void> => {
      for (let at = 0; at < events.length; at += batchEvents)
        await producer.send(
          `${prefix}usage.inbound.acme`,
          events.slice(at, at + batchEvents).map(({ body }, place) => ({
            partition: place % inboundPartitions,
            key: null,
            value: Buffer.from(JSON.stringify(body)),
          })),
        )
    }

    return {
      async strike(random) {
        const sent = createSentEvents(random)
        const before = await countLogged()
        const events = sent.make(eventsPerStrike)
        const produced = produce(events.slice(0, -batchEvents))
        const killAt = before + 1 + random.below(eventsPerStrike / 2)
        await until('the relay copies', async () => (await countLogged()) >= killAt, patience)
        await room.kill()
        const killedAt = performance.now()
        const relayed = await countLogged()
        room.spawn()
        await produced
        // There must be something left to do.
        await produce(events.slice(-batchEvents))
        // Kafka has acknowledged all of them on the inbound topic.
        for (const event of events) event.isAcknowledged = true
        await until('the relay goes on', async () => (await countLogged()) > relayed, patience)
        const recoveryMs = performance.now() - killedAt

        let logged = await readLoggedEvents(kafka, prefix)
        await until(
          'everything inbound is on usage.events',
          async () => {
            logged = await readLoggedEvents(kafka, prefix)
            return events.every(({ id }) => logged.has(id))
          },
          { timeout: 120_000, interval: 250 },
        ).catch(() => {
          // What is missing is counted as lost.
        })
        const { copies, ...verdict } = compareWithLog(events, logged, { sameTime: true })
        const counts = { acknowledged: events.length, beforeKill: relayed - before, copies }
        return { ...verdict, recoveryMs, counts }
      },
      async close() {
        await producer.disconnect()
        await room.close()
      },
    }
  },
}
