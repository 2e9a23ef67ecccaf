import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { Reading } from '../decode.ts'
import { comparePlaces, isBefore, type Place } from '../place.ts'
import type { Claim } from './claim.ts'
import {
  type CorrectionRuling,
  decideCorrection,
  entryOf,
  type HistoryEntry,
  isCorrection,
  type Superseded,
} from './correction.ts'

export type DecodedRecord = {
  readonly offset: bigint
  /** The broker's, in microseconds. */
  readonly appendTimeMicros: number
  readonly reading: Reading
}

export type Verdict = 'accepted' | 'duplicate' | 'conflict' | 'correction' | 'rejected'

export type Rejection = { readonly code: string; readonly reason: string }

export type Decision = {
  readonly record: DecodedRecord
  readonly verdict: Verdict
  /**
   * The record that holds the identity, this one when it is accepted; of a correction that repeats or contradicts
   * another, that other one; undefined when rejected.
   */
  readonly first: Place | undefined
  readonly rejection: Rejection | undefined
  /** Of a correction: what it takes out of force. */
  readonly supersedes: Superseded | undefined
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
  /** What the ledger knows under the identities of the batch's corrections; see `correctedIdentities`. */
  readonly histories: ReadonlyMap<string, readonly HistoryEntry[]>
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
  // Of what the batch corrects alone, and with what the batch adds to it.
  const histories = new Map<string, HistoryEntry[]>(
    correctedIdentities(batch).map((identity) => {
      const key = identityText(identity)
      return [key, [...(knowledge.histories.get(key) ?? [])]]
    }),
  )
  let logTimeMicros = knowledge.logTimeMicros
  const decisions = batch.map((record, index): Decision => {
    logTimeMicros = Math.max(logTimeMicros, record.appendTimeMicros)
    const { reading } = record
    if (reading.kind === 'malformed')
      return decided(record, { verdict: 'rejected', code: reading.code, reason: reading.reason })
    const { event, identity } = reading
    const place = { log, partition, offset: record.offset }
    const key = identityText(identity)
    const history = histories.size === 0 ? undefined : histories.get(key)
    if (isCorrection(event)) {
      const ruling = decideCorrection(event, place, history ?? [])
      if (ruling.verdict === 'correction') history?.push(entryOf(event, place, ruling.supersedes))
      return decided(record, ruling)
    }
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
      history?.push(entryOf(event, place, undefined))
      return decided(record, { verdict: 'accepted', first: place })
    }
    const verdict = known.payloadHash.equals(event.payloadHash) ? 'duplicate' : 'conflict'
    return decided(record, { verdict, first: known.first })
  })
  return { decisions, claimed, logTimeMicros }
}

type Ruling = CorrectionRuling | { readonly verdict: 'accepted'; readonly first: Place }

const decided = (record: DecodedRecord, ruling: Ruling): Decision =>
  ruling.verdict === 'rejected'
    ? { record, verdict: 'rejected', first: undefined, rejection: ruling, supersedes: undefined }
    : {
        record,
        verdict: ruling.verdict,
        first: ruling.first,
        rejection: undefined,
        supersedes: ruling.verdict === 'correction' ? ruling.supersedes : undefined,
      }

/**
 * Identities that the batch corrects. What a correction meets is always asked of the ledger, which alone knows the type
 * and hour of what it supersedes: so nobody's state decides it, whether it is old, new or lost.
 */
export function correctedIdentities(batch: readonly DecodedRecord[]): Buffer[] {
  const identities = new Map<string, Buffer>()
  for (const { reading } of batch)
    if (reading.kind === 'event' && isCorrection(reading.event))
      identities.set(identityText(reading.identity), reading.identity)
  return [...identities.values()]
}

/** Events that the state does not know but that are older than its horizon: only the ledger can tell. */
export function ledgerQuestions(
  batch: readonly DecodedRecord[],
  knowledge: Omit<Knowledge, 'ledger' | 'histories'>,
): Buffer[] {
  const { log, partition } = knowledge
  const questions = new Map<string, Buffer>()
  let logTimeMicros = knowledge.logTimeMicros
  batch.forEach(({ offset, appendTimeMicros, reading }, index) => {
    logTimeMicros = Math.max(logTimeMicros, appendTimeMicros)
    if (reading.kind === 'malformed' || isCorrection(reading.event)) return
    if (!isBeyondHorizon(reading.event, logTimeMicros, knowledge)) return
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

const claimOf = (event: UsageEvent, first: Place, logTimeMicros: number): Claim => ({
  first,
  payloadHash: event.payloadHash,
  logTimeMicros,
})
