import { setTimeout as pause } from 'node:timers/promises'
import { startClients } from './clients.ts'
import type { Fault } from './fault.ts'
import { openIngestRoom } from './ingest-process.ts'
import { compareWithLog, readLoggedEvents } from './logged-events.ts'
import { createSentEvents } from './sent-events.ts'

// Kafka is well here: a send that takes so long is not repeated, so that each copy in the log has its reason outside.
const settings = { INGEST_SEND_TIMEOUT_MS: '60000' }

/**
 * Doubled is also a copy of an event of which every send was answered: with Kafka well nobody has a reason to publish it
 * twice. Recovery counts from the kill and holds the start of a process.
 */
export const ingestKilled: Fault = {
  about: 'ingest is killed with -9 under load, started again; clients send again what was not answered',
  strikes: 20,
  async open(context) {
    const room = await openIngestRoom('ikill', context, settings)
    room.spawn()
    await room.untilReady()
    return {
      async strike(random) {
        const sent = createSentEvents(random)
        const clients = startClients({ ...room, sent, random, mayBreak: true })
        await clients.untilAcknowledged(500 + random.below(4_000))
        // Off the beat of the answers.
        await pause(random.below(40))
        await room.kill()
        const killedAt = performance.now()
        const before = clients.acknowledgedEvents()
        room.spawn()
        const recoveredAt = await clients.firstSuccessAfter(killedAt, true)
        await clients.untilAcknowledged(500)
        await clients.stop()
        const { copies, ...verdict } = compareWithLog(
          sent.all(),
          await readLoggedEvents(room.kafka, room.prefix),
          { uncertainOnly: true },
        )
        const counts = {
          acknowledged: sent.countAcknowledged(),
          beforeKill: before,
          copies,
          ...clients.counts(),
        }
        return { ...verdict, recoveryMs: recoveredAt - killedAt, counts }
      },
      close: room.close,
    }
  },
}
