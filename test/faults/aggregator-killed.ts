import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../demonstration/random.ts'
import { until } from '../eventually.ts'
import { type AggregatorRoom, openAggregatorRoom, type Truth } from '../integration/aggregator-room.ts'
import { usageEvent } from '../usage-producer.ts'
import type { Fault } from './fault.ts'

const batchEvents = 200
const batchCopies = 20
const patience = { timeout: 120_000, interval: 20 }

/**
 * Lost: an offset without its ledger row, an event without its raw row. Doubled: raw or accepted more often than made, or a
 * copy of the ledger that differs. Cents: the sum of all quantities beside the one that was counted while sending.
 * Recovery counts from the kill to the next ledger row, and holds the group's session of the dead process.
 */
export const aggregatorKilled: Fault = {
  about: 'the aggregator is killed with -9 while it drains, at a random moment, and started again',
  strikes: 20,
  async open({ stack }) {
    const room = await openAggregatorRoom('akill', stack)
    const { load, sent } = createLoad(room)
    let service = await room.start()
    return {
      async strike(random) {
        const before = await room.countLedger()
        const sentBefore = sent.events
        const killAt = before + 200 + random.below(3_000)
        const loading = load(random)
        await until('the ledger grows', async () => (await room.countLedger()) >= killAt, patience)
        await pause(random.below(200))
        await service.stop('SIGKILL')
        const killedAt = performance.now()
        const atKill = await room.countLedger()
        await loading.stop()
        service = await room.start()
        // There must be something left to do.
        await load(random).stop()
        await until('the ledger goes on', async () => (await room.countLedger()) > atKill, patience)
        const recoveryMs = performance.now() - killedAt
        await room.drained()
        const quantity = await sumQuantities(room)
        return {
          ...judge(await room.truth(), sent.events),
          centsOff: Math.abs(quantity - sent.quantity),
          recoveryMs,
          counts: { sent: sent.events - sentBefore, beforeKill: atKill - before },
        }
      },
      close: room.close,
    }
  },
}

function judge(truth: Truth, events: number): { lost: number; doubled: number } {
  const tooFew = Math.max(0, events - truth.rawIdentities, events - truth.accepted)
  const tooMany = Math.max(0, truth.raw - truth.rawIdentities, truth.accepted - events)
  const strange = truth.conflict + truth.rejected + truth.byIdentityOff + truth.byCellOff
  return { lost: truth.missing + tooFew + truth.unmatched, doubled: tooMany + strange }
}

/** Sends as fast as the log takes them, each batch with copies of events before it. */
function createLoad({ producer }: AggregatorRoom) {
  /** Counted here, apart from whatever the tables say. */
  const sent = { events: 0, quantity: 0 }
  const eventOf = (serial: number) =>
    usageEvent({ id: `killed-${serial}`, data: `{"quantity":${1 + (serial % 997)}}` })

  async function sendBatch(random: Random): Promise<void> {
    const first = sent.events
    const news = Array.from({ length: batchEvents }, (_, at) => first + at)
    sent.events += batchEvents
    for (const serial of news) sent.quantity += 1 + (serial % 997)
    const copies = Array.from({ length: batchCopies }, () => random.below(sent.events))
    await producer.send([...news, ...copies].map(eventOf))
  }

  /** At least one batch, and more until it is stopped. */
  function load(random: Random): { stop(): Promise<void> } {
    let isLoading = true
    const running = (async () => {
      do await sendBatch(random)
      while (isLoading)
    })()
    return {
      async stop() {
        isLoading = false
        await running
      },
    }
  }
  return { sent, load }
}

async function sumQuantities({ clickHouse }: AggregatorRoom): Promise<number> {
  const sql = "SELECT sum(JSONExtractUInt(data, 'quantity')) AS n FROM usage_events FINAL"
  const [row] = await clickHouse.query<{ n: string }>(sql)
  return Number(row?.n)
}
