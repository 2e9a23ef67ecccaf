import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { allocate } from './allocation.ts'
import { formatFraction, partOfMicros, whole } from './fraction.ts'
import { type ChargeLine, type Commitment, trueUpLine } from './priced-invoice.ts'
import type { Step } from './rated.ts'
import { major } from './trace.ts'

/** A charge with its share of what maxima take off. */
export type CommittedLine = ChargeLine & { readonly capMicros: Micros }

export type Committed = {
  readonly lines: readonly CommittedLine[]
  readonly trueUpMicros: Micros
  readonly capMicros: Micros
  readonly steps: readonly Step[]
}

/**
 * Minimum and maximum on rounded lines, one commitment after the other: the minimum (prorated, then rounded) less what
 * the lines come to is a line of its own; what they then exceed the maximum by is taken off the charges in proportion, so
 * that each keeps its tax. Lines of several terms are counted with what earlier invoices of the term have charged.
 */
export function applyCommitments(
  charges: readonly ChargeLine[],
  commitments: readonly Commitment[],
  currency: Currency,
): Committed {
  let committed: Committed = {
    lines: charges.map((line) => ({ ...line, capMicros: 0n })),
    trueUpMicros: 0n,
    capMicros: 0n,
    steps: [],
  }
  for (const commitment of commitments)
    committed = applyMaximum(applyMinimum(committed, commitment, currency), commitment, currency)
  return committed
}

function applyMinimum(committed: Committed, commitment: Commitment, currency: Currency): Committed {
  const { minimumMicros, factor = whole, alreadyMicros = 0n, taxes, taxCode } = commitment
  if (minimumMicros === undefined) return committed
  const due = partOfMicros(minimumMicros, factor, currency)
  const charged = alreadyMicros + totalOf(committed.lines.filter((line) => counts(line, commitment)))
  const trueUp = due > charged ? due - charged : 0n
  const line: CommittedLine = {
    id: trueUpId(commitment),
    amountMicros: trueUp,
    capMicros: 0n,
    ...(taxes === undefined ? {} : { taxes }),
    ...(taxCode === undefined ? {} : { taxCode }),
  }
  return {
    ...committed,
    lines: trueUp === 0n ? committed.lines : [...committed.lines, line],
    trueUpMicros: committed.trueUpMicros + trueUp,
    steps: [
      ...committed.steps,
      {
        step: 'minimum',
        minimum: major(minimumMicros),
        factor: formatFraction(factor),
        due: major(due),
        charged: major(charged),
        trueUp: major(trueUp),
      },
    ],
  }
}

function applyMaximum(committed: Committed, commitment: Commitment, currency: Currency): Committed {
  const { maximumMicros, factor = whole, alreadyMicros = 0n } = commitment
  if (maximumMicros === undefined) return committed
  const { lines } = committed
  const most = partOfMicros(maximumMicros, factor, currency)
  const charged = alreadyMicros + totalOf(lines.filter((line) => counts(line, commitment)))
  const weights = lines.map((line) => {
    const left = line.amountMicros + line.capMicros
    return counts(line, commitment) && left > 0n ? left : 0n
  })
  const room = weights.reduce((a, b) => a + b, 0n)
  const excess = charged > most ? charged - most : 0n
  // What earlier invoices charged beyond the maximum is not given back here.
  const cap = excess < room ? excess : room
  const shares = allocate(cap, weights, currency)
  return {
    ...committed,
    lines: lines.map((line, index) => ({ ...line, capMicros: line.capMicros - (shares[index] ?? 0n) })),
    capMicros: committed.capMicros - cap,
    steps: [
      ...committed.steps,
      {
        step: 'maximum',
        maximum: major(maximumMicros),
        factor: formatFraction(factor),
        most: major(most),
        charged: major(charged),
        cap: major(-cap),
      },
    ],
  }
}

const totalOf = (lines: readonly CommittedLine[]): Micros =>
  lines.reduce((sum, { amountMicros, capMicros }) => sum + amountMicros + capMicros, 0n)

const trueUpId = ({ id }: Commitment): string => (id === undefined ? trueUpLine : `${trueUpLine}:${id}`)

const counts = (line: CommittedLine, commitment: Commitment): boolean =>
  line.committed !== false &&
  (commitment.appliesTo === undefined ||
    line.id === trueUpId(commitment) ||
    commitment.appliesTo.some((id) => id === line.id || id === line.price))
