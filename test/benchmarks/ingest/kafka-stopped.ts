import { setTimeout as pause } from 'node:timers/promises'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { readRecord } from '@tidemark/infra/stack/process-record.ts'
import { finish, thousands } from '../../demonstration/print.ts'
import { pauseProcess } from '../../pause-process.ts'
import type { BenchStack } from '../bench-stack.ts'
import { figureOf, type Measured } from '../figure.ts'
import { openIngestRoom } from './ingest-room.ts'

const load = { connections: 64, eventsPerRequest: 1_000, warmUpMs: 0, durationMs: 20_000 }
/** Within the load's time: it begins and ends with a broker that answers. */
const stopped = { afterMs: 4_000, forMs: 12_000 }
const memoryLimitMegabytes = 350
/** INGEST_BODIES_BYTES and INGEST_QUEUE_BYTES together, by their defaults. */
const heldLimitMegabytes = 128
const lookEveryMs = 250

/**
 * The broker stops answering while 64 clients go on sending 1,000 events a request, each again at once when it is refused:
 * what ingest holds, and that all it acknowledged is in the log afterwards.
 */
export async function measureKafkaStopped(bench: BenchStack): Promise<Measured> {
  const record = await readRecord(recordFile(bench.stack.dir, 'kafka'))
  if (record === undefined) return { figures: [], lost: [] }
  const room = await openIngestRoom(bench, 'stopped')
  const sending = room.load({ ...load, run: 'stopped', onUnavailable: 'again' })
  let held = 0
  await pause(stopped.afterMs)
  await pauseProcess(record.pid)
  try {
    for (
      const until = performance.now() + stopped.forMs;
      performance.now() < until;
      await pause(lookEveryMs)
    ) {
      const bytes = await Promise.all([
        room.gauge('tidemark_ingest_body_bytes'),
        room.gauge('tidemark_ingest_queued_bytes'),
      ])
      held = Math.max(held, bytes[0] + bytes[1])
    }
  } finally {
    process.kill(record.pid, 'SIGCONT')
  }
  const { refused, acknowledged } = await sending
  finish(
    '✔',
    `Kafka stopped: ${thousands(refused)} requests refused, ${thousands(acknowledged)} events acknowledged`,
  )
  return {
    figures: [
      figureOf('memory_kafka_stopped', 'MB RSS', [room.peakBytes() / 1e6], { limit: memoryLimitMegabytes }),
      figureOf('held_kafka_stopped', 'MB', [held / 1e6], { limit: heldLimitMegabytes }),
    ],
    lost: await room.close(),
  }
}
