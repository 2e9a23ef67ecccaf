import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../demonstration/random.ts'
import { type Clients, startClients } from './clients.ts'
import type { Fault, FaultContext, FaultRoom } from './fault.ts'
import { openIngestRoom } from './ingest-process.ts'
import { compareWithLog, readLoggedEvents } from './logged-events.ts'
import { type OwnKafka, openOwnKafka } from './own-kafka.ts'
import { createSentEvents } from './sent-events.ts'

const settings = { INGEST_SEND_TIMEOUT_MS: '2000' }

/** Hurts the broker once, and gives back how long the first acknowledgement took once it was well again. */
type Outage = (kafka: OwnKafka, clients: Clients, random: Random) => Promise<number>

/** Gone for good, then back: 503 meanwhile, so that clients know. */
async function restart(
  kafka: OwnKafka,
  clients: Clients,
  random: Random,
  end: 'stop' | 'kill',
): Promise<number> {
  await kafka[end]()
  const endedAt = performance.now()
  await clients.untilRefused(5 + random.below(15))
  if (end === 'kill') await kafka.stop()
  await kafka.start()
  const readyAt = performance.now()
  // Asked for after its end: what the old broker acknowledged may still have been on its way.
  return Math.max(0, (await clients.firstSuccessAfter(endedAt, true)) - readyAt)
}

const restarts: Outage = async (kafka, clients, random) => {
  const killed = await restart(kafka, clients, random, 'kill')
  await clients.untilAcknowledged(200)
  return Math.max(killed, await restart(kafka, clients, random, 'stop'))
}

/** Shorter than the deadline of a send or longer: connections stay open, and what was sent may be written afterwards. */
const pauses: Outage = async (kafka, clients, random) => {
  await kafka.pause()
  await pause(100 + random.below(5_000))
  const resumedAt = performance.now()
  await kafka.resume()
  return (await clients.firstSuccessAfter(resumedAt, false)) - resumedAt
}

async function openOutage(context: FaultContext, outage: Outage): Promise<FaultRoom> {
  const kafka = await openOwnKafka(context.directory)
  const stack = { ...context.stack, KAFKA_BROKERS: kafka.brokers }
  const room = await openIngestRoom('kout', { ...context, stack }, settings)
  room.spawn()
  await room.untilReady()
  return {
    async strike(random) {
      const sent = createSentEvents(random)
      const clients = startClients({ ...room, sent, random, mayBreak: false })
      await clients.untilAcknowledged(200 + random.below(3_000))
      const recoveryMs = await outage(kafka, clients, random)
      await clients.untilAcknowledged(200)
      await clients.stop()
      room.assertAlive()
      const logged = await readLoggedEvents(room.kafka, room.prefix)
      const { copies, ...verdict } = compareWithLog(sent.all(), logged)
      const counts = { acknowledged: sent.countAcknowledged(), copies, ...clients.counts() }
      return { ...verdict, recoveryMs, counts }
    },
    async close() {
      await room.close()
      await kafka.stop()
    },
  }
}

export const kafkaRestarted: Fault = {
  about: 'Kafka is killed with -9 and started, then stopped and started, under load',
  strikes: 20,
  open: (context) => openOutage(context, restarts),
}

export const kafkaPaused: Fault = {
  about: 'Kafka hangs for 0.1 to 5 s (SIGSTOP, SIGCONT) under load',
  strikes: 20,
  open: (context) => openOutage(context, pauses),
}
