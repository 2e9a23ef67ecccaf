import { identityKey, payloadHash } from '@tidemark/schemas/event-identity.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { Claim } from './claim.ts'
import { entryOf, type HistoryEntry } from './correction.ts'
import {
  correctedIdentities,
  type DecodedRecord,
  decide,
  identityText,
  type LedgerClaim,
  ledgerQuestions,
} from './decide.ts'

export const dayMicros = 86_400_000_000
export const start = Date.UTC(2026, 0, 1) * 1000
export const horizonMicros = 40 * dayMicros

export type Given = {
  id: string
  data?: string
  type?: string
  atDay?: number
  timeDay?: number
  action?: UsageEvent['action']
  revision?: number
}

export function record(offset: number, given: Given): DecodedRecord {
  const { id, data = '{}', atDay = 0, timeDay = atDay, action = 'none', revision = 0 } = given
  const time = start + timeDay * dayMicros
  // As ingest makes a void: it says nothing but what it takes back.
  const payload =
    action === 'void'
      ? { type: '', subject: '', timeMicros: undefined, data: '' }
      : { type: given.type ?? 'request', subject: 's', timeMicros: time, data }
  const event: UsageEvent = {
    tenant: 'acme',
    tenantNumber: 1,
    source: 'test',
    id,
    type: payload.type,
    subject: payload.subject,
    time,
    acceptedAt: time,
    data: payload.data,
    payloadHash: payloadHash(payload),
    action,
    revision,
  }
  const reading = { kind: 'event' as const, event, identity: identityKey(1, 'test', id) }
  return { offset: BigInt(offset), appendTimeMicros: start + atDay * dayMicros, reading }
}

export const malformed = (offset: number): DecodedRecord => ({
  offset: BigInt(offset),
  appendTimeMicros: start,
  reading: { kind: 'malformed', code: 'undecodable', reason: 'no such bytes' },
})

/** For tests: a partition with its state and its ledger, fed batch by batch. */
export function createPartition() {
  const claims = new Map<string, Claim>()
  const accepted = new Map<string, LedgerClaim[]>()
  const histories = new Map<string, HistoryEntry[]>()
  let logTimeMicros = 0
  return {
    claims,
    forget: () => claims.clear(),
    decide(batch: readonly DecodedRecord[]) {
      const held = batch.map(({ reading }) =>
        reading.kind === 'event' ? claims.get(identityText(reading.identity)) : undefined,
      )
      const knowledge = { log: 1, partition: 0, horizonMicros, logTimeMicros, claims: held }
      const asked = new Set(ledgerQuestions(batch, knowledge).map(identityText))
      const ledger = new Map([...accepted].filter(([key]) => asked.has(key)))
      const corrected = new Set(correctedIdentities(batch).map(identityText))
      const known = new Map([...histories].filter(([key]) => corrected.has(key)))
      const outcome = decide(batch, { ...knowledge, ledger, histories: known })
      logTimeMicros = outcome.logTimeMicros
      for (const { record, verdict, supersedes } of outcome.decisions) {
        const { reading, offset } = record
        if (reading.kind === 'malformed' || (verdict !== 'accepted' && verdict !== 'correction')) continue
        const key = identityText(reading.identity)
        const entry = entryOf(reading.event, { log: 1, partition: 0, offset }, supersedes)
        histories.set(key, [...(histories.get(key) ?? []), entry])
      }
      for (const [key, { claim }] of outcome.claimed) {
        claims.set(key, claim)
        const { first, payloadHash: hash } = claim
        accepted.set(key, [...(accepted.get(key) ?? []), { first, payloadHash: hash }])
      }
      return outcome.decisions.map(({ verdict, first, rejection, supersedes }) => {
        if (verdict === 'rejected') return [verdict, rejection?.code]
        if (verdict !== 'correction') return [verdict, first?.offset]
        const { place, cell } = supersedes ?? {}
        const day = ((cell?.hourSeconds ?? 0) * 1_000_000 - start) / dayMicros
        return [verdict, first?.offset, place?.offset, `${cell?.type} on day ${day}`]
      })
    },
  }
}

export const verdictsOf = (batch: readonly DecodedRecord[], size: number) => {
  const partition = createPartition()
  const verdicts: unknown[] = []
  for (let at = 0; at < batch.length; at += size)
    verdicts.push(...partition.decide(batch.slice(at, at + size)))
  return verdicts
}

/** Numbers below a bound, the same in every run. */
export function createRandom(seed = 7): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}
