import { hourOf } from '@tidemark/schemas/instant.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { comparePlaces, isBefore, type Place } from '../place.ts'

/** Where a raw row counts; the tenant is that of the identity. */
export type EventCell = { readonly type: string; readonly hourSeconds: number }

/** An accepted event, or a correction of it, as the ledger tells of it. */
export type HistoryEntry = {
  readonly place: Place
  readonly verdict: 'accepted' | 'correction'
  readonly revision: number
  readonly payloadHash: Buffer
  /** Of a void, which has no raw row: the cell of what it voids. */
  readonly cell: EventCell
}

/** What a correction takes out of force: the event itself, or the correction that came before. */
export type Superseded = { readonly place: Place; readonly cell: EventCell }

export type CorrectionRuling =
  | { readonly verdict: 'correction'; readonly first: Place; readonly supersedes: Superseded }
  | { readonly verdict: 'duplicate' | 'conflict'; readonly first: Place }
  | { readonly verdict: 'rejected'; readonly code: string; readonly reason: string }

/** A correction in usage.events always says what it does; a plain event says `none`. */
export const isCorrection = ({ action }: UsageEvent): boolean => action !== 'none'

/**
 * Decides a correction by all that lies below it under its identity, in any order and repeated as may be. It corrects the
 * last accepted event there (after the horizon an identity may have been accepted again), and a correction counts when its
 * revision is above every one before. So corrections in force are in the order of the log, and each one supersedes but
 * the one before it.
 */
export function decideCorrection(
  event: UsageEvent,
  place: Place,
  history: readonly HistoryEntry[],
): CorrectionRuling {
  const below = history
    .filter((entry) => isBefore(entry.place, place))
    .sort((a, b) => comparePlaces(a.place, b.place))
  const original = below.findLast(({ verdict }) => verdict === 'accepted')
  const last = below.at(-1)
  if (original === undefined || last === undefined) return unknownOriginal(event)
  if (last.verdict === 'correction' && event.revision === last.revision) {
    const verdict = last.payloadHash.equals(event.payloadHash) ? 'duplicate' : 'conflict'
    return { verdict, first: last.place }
  }
  if (last.verdict === 'correction' && event.revision < last.revision) return stale(event, last)
  const supersedes = { place: last.place, cell: last.cell }
  return { verdict: 'correction', first: original.place, supersedes }
}

/** What a later correction has to know of a record that was accepted, as an event or as a correction. */
export function entryOf(event: UsageEvent, place: Place, superseded: Superseded | undefined): HistoryEntry {
  const own = { type: event.type, hourSeconds: hourOf(event.time) / 1_000_000 }
  return {
    place,
    verdict: superseded === undefined ? 'accepted' : 'correction',
    revision: event.revision,
    payloadHash: event.payloadHash,
    cell: event.action === 'void' && superseded !== undefined ? superseded.cell : own,
  }
}

const unknownOriginal = ({ action }: UsageEvent): CorrectionRuling => ({
  verdict: 'rejected',
  code: 'unknown_original',
  reason: `no event with this source and id has been accepted before; send the event first, then its ${action === 'void' ? 'void' : 'correction'}`,
})

const stale = ({ revision }: UsageEvent, last: HistoryEntry): CorrectionRuling => ({
  verdict: 'rejected',
  code: 'stale_revision',
  reason: `revision ${revision} is below ${last.revision}, which is in force; send the correction with a higher one`,
})
