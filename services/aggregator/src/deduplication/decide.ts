import { hourOf } from '@tidemark/schemas/instant.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { Reading } from '../decode.ts'
import { comparePlaces, isBefore, type Place } from '../place.ts'
import type { Claim } from './claim.ts'

export type DecodedRecord = {
  readonly offset: bigint
  /** The broker's, in microseconds. */
  readonly appendTimeMicros: number
  readonly reading: Reading
}

export type Verdict = 'accepted' | 'duplicate' | 'conflict' | 'rejected'

export type Rejection = { readonly code: string; readonly reason: string }

export type Decision = {
  readonly record: DecodedRecord
  readonly verdict: Verdict
  /** The record that holds the identity, this one when it is accepted; undefined when rejected. */
  readonly first: Place | undefined
  readonly rejection: Rejection | undefined
}

/** An accepted record of the ledger, found by its identity. */
export type LedgerClaim = { readonly first: Place; readonly payloadHash: Buffer }

export type Knowledge = {
  readonly log: number
  readonly partition: number
  readonly horizonMicros: number
  /** Log time before the batch. */
  readonly logTimeMicros: number
  /** What the state holds, by index of the batch; undefined where it holds nothing. */
  readonly claims: readonly (Claim | undefined)[]
  /** What the ledger answered, by identity; see `ledgerQuestions`. */
  readonly ledger: ReadonlyMap<string, readonly LedgerClaim[]>
}

export type Outcome = {
  readonly decisions: readonly Decision[]
  /** Identities that were accepted, to be stored together with the next offset. */
  readonly claimed: ReadonlyMap<string, NewClaim>
  readonly logTimeMicros: number
}

export type NewClaim = { readonly identity: Buffer; readonly claim: Claim }

const dayMicros = 86_400_000_000

/** The state keeps an identity a day longer than the horizon, so that no event falls between state and ledger. */
export const keptMicros = (horizonMicros: number): number => horizonMicros + dayMicros

/** One text per identity, for maps. */
export const identityText = (identity: Buffer): string => identity.toString('latin1')

/**
 * Decides each offset, in order: a function of what lies below it in the log and of nothing else. Log time is the
 * running maximum of append times, so whoever decides again, whenever, decides alike.
 */
export function decide(batch: readonly DecodedRecord[], knowledge: Knowledge): Outcome {
  const { log, partition } = knowledge
  const claimed = new Map<string, NewClaim>()
  // Claims of this batch that a later record of it replaced, because they had expired: the ledger would know them.
  const replaced = new Map<string, Claim[]>()
  let logTimeMicros = knowledge.logTimeMicros
  const decisions = batch.map((record, index): Decision => {
    logTimeMicros = Math.max(logTimeMicros, record.appendTimeMicros)
    const { reading } = record
    const rejection = rejectionOf(reading)
    if (reading.kind === 'malformed' || rejection !== undefined)
      return { record, verdict: 'rejected', first: undefined, rejection }
    const { event, identity } = reading
    const place = { log, partition, offset: record.offset }
    const key = identityText(identity)
    const ofBatch = claimed.get(key)?.claim
    const below = () => [
      ...(knowledge.ledger.get(key) ?? []),
      ...(replaced.get(key) ?? []),
      ...(ofBatch === undefined ? [] : [ofBatch]),
    ]
    const known =
      usable(ofBatch ?? knowledge.claims[index], place, logTimeMicros, knowledge) ??
      (isBeyondHorizon(event, logTimeMicros, knowledge) ? claimant(event, place, below()) : undefined)
    if (known === undefined) {
      if (ofBatch !== undefined) replaced.set(key, [...(replaced.get(key) ?? []), ofBatch])
      claimed.set(key, { identity, claim: claimOf(event, place, logTimeMicros) })
      return { record, verdict: 'accepted', first: place, rejection }
    }
    const verdict = known.payloadHash.equals(event.payloadHash) ? 'duplicate' : 'conflict'
    return { record, verdict, first: known.first, rejection }
  })
  return { decisions, claimed, logTimeMicros }
}

/** Events that the state does not know but that are older than its horizon: only the ledger can tell. */
export function ledgerQuestions(
  batch: readonly DecodedRecord[],
  knowledge: Omit<Knowledge, 'ledger'>,
): Buffer[] {
  const { log, partition } = knowledge
  const questions = new Map<string, Buffer>()
  let logTimeMicros = knowledge.logTimeMicros
  batch.forEach(({ offset, appendTimeMicros, reading }, index) => {
    logTimeMicros = Math.max(logTimeMicros, appendTimeMicros)
    if (reading.kind === 'malformed' || !isBeyondHorizon(reading.event, logTimeMicros, knowledge)) return
    const place = { log, partition, offset }
    if (usable(knowledge.claims[index], place, logTimeMicros, knowledge) !== undefined) return
    questions.set(identityText(reading.identity), reading.identity)
  })
  return [...questions.values()]
}

/** A claim counts from below only, and until it has expired in log time. */
function usable(
  claim: Claim | undefined,
  place: Place,
  logTimeMicros: number,
  { horizonMicros }: { horizonMicros: number },
): Claim | undefined {
  if (claim === undefined || !isBefore(claim.first, place)) return undefined
  return claim.logTimeMicros >= logTimeMicros - keptMicros(horizonMicros) ? claim : undefined
}

const isBeyondHorizon = (
  event: UsageEvent,
  logTimeMicros: number,
  { horizonMicros }: { horizonMicros: number },
): boolean => event.time < logTimeMicros - horizonMicros

/** The record with the same payload, for then this one repeats it; otherwise the lowest one below. */
function claimant(
  event: UsageEvent,
  place: Place,
  accepted: readonly LedgerClaim[],
): LedgerClaim | undefined {
  const below = accepted
    .filter(({ first }) => isBefore(first, place))
    .sort(({ first: a }, { first: b }) => comparePlaces(a, b))
  return below.find(({ payloadHash }) => payloadHash.equals(event.payloadHash)) ?? below[0]
}

function rejectionOf(reading: Reading): Rejection | undefined {
  if (reading.kind === 'malformed') return { code: reading.code, reason: reading.reason }
  if (reading.event.action === 'none') return undefined
  const reason = `tidemarkaction "${reading.event.action}" is not supported; send a new event with its own id instead`
  return { code: 'correction_unsupported', reason }
}

const claimOf = (event: UsageEvent, first: Place, logTimeMicros: number): Claim => ({
  first,
  payloadHash: event.payloadHash,
  hourSeconds: hourOf(event.time) / 1_000_000,
  logTimeMicros,
  revision: event.revision,
})
