import { thousands } from '../demonstration/print.ts'
import type { Strike } from './fault.ts'

/** One line of the table, with the names of the JSON line that a run ends with. */
export type FaultResult = {
  name: string
  iterations: number
  lost: number
  doubled: number
  centsOff: number
  recoveryMaxMs: number
}

export function resultOf(name: string, strikes: readonly Strike[]): FaultResult {
  const sum = (of: (strike: Strike) => number) => strikes.reduce((total, strike) => total + of(strike), 0)
  return {
    name,
    iterations: strikes.length,
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    centsOff: sum(({ centsOff }) => centsOff),
    recoveryMaxMs: Math.round(Math.max(0, ...strikes.map(({ recoveryMs }) => recoveryMs))),
  }
}

/** JSON has no NaN: a sum that is none is as bad as one that is off. */
export const isSound = ({
  lost,
  doubled,
  centsOff,
}: Pick<Strike, 'lost' | 'doubled' | 'centsOff'>): boolean => lost === 0 && doubled === 0 && centsOff === 0

export const rowsOf = (results: readonly FaultResult[]): string[][] => [
  ['fault', 'iterations', 'lost', 'doubled', 'cents off', 'recovery max ms'],
  ...results.map(({ name, iterations, lost, doubled, centsOff, recoveryMaxMs }) => [
    name,
    ...[iterations, lost, doubled, centsOff, recoveryMaxMs].map(thousands),
  ]),
]

/** `4,211 acknowledged, 12 copies` */
export const describeCounts = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(
      ([name, count]) =>
        `${thousands(count)} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
    )
    .join(', ')

/** Counts of all strikes, for people; the largest where a name ends in AtMost. */
export function sumCounts(strikes: readonly Strike[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { counts } of strikes)
    for (const [name, count] of Object.entries(counts))
      sums[name] = name.endsWith('AtMost') ? Math.max(sums[name] ?? 0, count) : (sums[name] ?? 0) + count
  return sums
}
