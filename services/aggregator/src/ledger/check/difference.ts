import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Place } from '../../place.ts'
import { type CopyKind, copyTable } from '../copy-rows.ts'

/** What can be wrong, from the log to what is billed. */
export const differenceKinds = [
  'ledger_gap',
  'ledger_contradiction',
  'identity_copy',
  'cell_copy',
  'corrections',
  'raw_missing',
  'raw_surplus',
  'raw_twice',
  'raw_differs',
  'raw_altered',
  'sealed_hour',
] as const

export type DifferenceKind = (typeof differenceKinds)[number]

export type Difference = {
  readonly kind: DifferenceKind
  /** How many rows, offsets or hours this one line stands for. */
  readonly count: number
  /** What differs and where, in a sentence. */
  readonly text: string
  /** The command that mends it, or what to do first. */
  readonly remedy: string
}

export type CellName = { readonly tenant: string; readonly type: string; readonly hour: number }

export const placeText = ({ log, partition, offset }: Place): string =>
  `log ${log}, partition ${partition}, offset ${offset}`

export const cellText = ({ tenant, type, hour }: CellName): string =>
  `tenant ${tenant}, type ${type}, hour ${formatInstant(hour * 1_000_000).slice(0, 13)}`

const repairOf = ({ log, partition, offset }: Place, last = offset): string =>
  `npm run ledger -- repair --log ${log} --partition ${partition} --from ${offset} --to ${last}`

export const difference = {
  gap: (first: Place, last: bigint): Difference => ({
    kind: 'ledger_gap',
    count: Number(last - first.offset + 1n),
    text: `log ${first.log}, partition ${first.partition}: the ledger has no row for ${offsetsText(first.offset, last)}`,
    remedy:
      'start the aggregator again: it consumes the range once more; if Kafka no longer has it, ' +
      `npm run ledger -- lost --log ${first.log} --partition ${first.partition} --from ${first.offset} --to ${last}`,
  }),
  contradiction: (place: Place, count: number): Difference => ({
    kind: 'ledger_contradiction',
    count,
    text: `${placeText(place)}: the ledger has rows that say different things${more(count)}`,
    remedy: 'npm run ledger -- rebuild',
  }),
  copy: (kind: CopyKind, place: Place, what: CopyFault): Difference => ({
    kind,
    count: 1,
    text: `${placeText(place)}: ${copyTable(kind).table} ${copyFaults[what]}`,
    remedy: repairOf(place),
  }),
  raw(kind: RawFault, place: Place, cell: CellName): Difference {
    const text = `${placeText(place)} (${cellText(cell)}): ${rawFaults[kind]}`
    return { kind, count: 1, text, remedy: repairOf(place) }
  },
  sealedHour: (cell: CellName, meter: string, what: string): Difference => ({
    kind: 'sealed_hour',
    count: 1,
    text: `${cellText(cell)}: the sealed hour of meter ${meter} ${what}`,
    remedy: `npm run ledger -- repair --sealed --tenant ${cell.tenant} --from ${hourText(cell.hour)} --to ${hourText(cell.hour + 3600)}`,
  }),
}

export type CopyFault = 'missing' | 'surplus' | 'differs'
export type RawFault = 'raw_missing' | 'raw_surplus' | 'raw_twice' | 'raw_differs' | 'raw_altered'

const copyFaults: Record<CopyFault, string> = {
  missing: 'lacks the row that the ledger has',
  surplus: 'has a row that the ledger does not have',
  differs: 'says something else than the ledger',
}

const rawFaults: Record<RawFault, string> = {
  raw_missing: 'the ledger accepted it, but usage_events has no row',
  raw_surplus: 'usage_events has a row that the ledger did not accept there',
  raw_twice: 'usage_events has it more than once',
  raw_differs: 'usage_events has another payload hash than the ledger',
  raw_altered: 'type, subject, time or data in usage_events do not give the payload hash that was accepted',
}

const hourText = (hour: number): string => new Date(hour * 1000).toISOString().replace('.000Z', 'Z')

const offsetsText = (first: bigint, last: bigint): string =>
  first === last ? `offset ${first}` : `the ${last - first + 1n} offsets ${first} to ${last}`

const more = (count: number): string =>
  count > 1 ? `, and so for ${count - 1} more offsets of the slice` : ''

/** Ranges of offsets that follow one another; expects them in order. */
export function rangesOf(offsets: readonly bigint[]): { first: bigint; last: bigint }[] {
  const ranges: { first: bigint; last: bigint }[] = []
  for (const offset of offsets) {
    const range = ranges.at(-1)
    if (range !== undefined && range.last + 1n === offset) range.last = offset
    else ranges.push({ first: offset, last: offset })
  }
  return ranges
}
