import { join } from 'node:path'
import { type DecodedRecord, decide } from '@tidemark/aggregator/deduplication/decide.ts'
import { type DeduplicationState, openState } from '@tidemark/aggregator/deduplication/state.ts'
import { packed } from '@tidemark/aggregator/packed-event.ts'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { benchEvent } from '../bench-event.ts'

/** A partition's deduplication state with events of its own, decided and committed as the aggregator's loop does. */
export type StateLane = {
  readonly state: DeduplicationState
  /** How many distinct events it has met. */
  met(): number
  /** The next batch; every 50th repeats one of the last `repeated` events, where there are such. */
  batch(rows: number, repeated: number): DecodedRecord[]
  /** Resolves with the duplicates that it found. */
  run(batch: readonly DecodedRecord[]): Promise<number>
}

export type LaneOptions = {
  directory: string
  partition: number
  keptMicros: number
  /** From one event to the next, in log time. */
  stepMicros: number
}

export const duplicateEvery = 50
const filterBytes = 67_108_864
const startMicros = Date.UTC(2026, 0, 1) * 1000

export async function openLane({
  directory,
  partition,
  keptMicros,
  stepMicros,
}: LaneOptions): Promise<StateLane> {
  const state = await openState(join(directory, `p-${partition}`), {
    keptMicros,
    filterBytes,
    onDamage(cause) {
      throw cause
    },
  })
  let met = 0
  let nextOffset = 0n
  const recordOf = (serial: number, offset: bigint): DecodedRecord => {
    const event = packed(benchEvent(`p${partition}`, serial))
    const identity = identityKey(event.tenantNumber, event.source, event.id)
    const appendTimeMicros = startMicros + Number(offset) * stepMicros
    return { offset, appendTimeMicros, reading: { kind: 'event', event, identity } }
  }
  return {
    state,
    met: () => met,
    batch(rows, repeated) {
      const last = met
      return Array.from({ length: rows }, (_, at) => {
        const isRepeated = repeated > 0 && at % duplicateEvery === duplicateEvery - 1
        const serial = isRepeated ? last - 1 - Math.floor(Math.random() * Math.min(repeated, last)) : met
        if (!isRepeated) met += 1
        return recordOf(serial, nextOffset + BigInt(at))
      })
    },
    async run(batch) {
      const identities = batch.flatMap(({ reading }) => (reading.kind === 'event' ? [reading.identity] : []))
      const claims = await state.findClaims(identities)
      const { logTimeMicros } = state.position
      // Events are of now: none of them is asked of the ledger, however short the state keeps them.
      const knowledge = { log: 1, partition, horizonMicros: Number.MAX_SAFE_INTEGER, logTimeMicros, claims }
      const outcome = decide(batch, { ...knowledge, ledger: new Map(), histories: new Map() })
      nextOffset += BigInt(batch.length)
      const last = batch.at(-1)
      const identity = identities.at(-1)
      await state.commit([...outcome.claimed.values()], {
        nextOffset,
        logTimeMicros: outcome.logTimeMicros,
        last: last && identity && { offset: last.offset, identity, appendTimeMicros: last.appendTimeMicros },
      })
      return outcome.decisions.filter(({ verdict }) => verdict === 'duplicate').length
    },
  }
}
