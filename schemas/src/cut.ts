import { createHash } from 'node:crypto'

/**
 * A cut fixes what has happened: per partition, every offset below `offset` counts and none from it on. Ordered by log
 * and partition.
 */
export type CutEntry = { readonly log: number; readonly partition: number; readonly offset: bigint }
export type Cut = readonly CutEntry[]

export const sortedCut = (entries: readonly CutEntry[]): Cut =>
  [...entries].sort((a, b) => a.log - b.log || a.partition - b.partition)

/** One text for one cut: `1/0:120,1/1:98`. */
export const formatCut = (cut: Cut): string =>
  sortedCut(cut)
    .map(({ log, partition, offset }) => `${log}/${partition}:${offset}`)
    .join(',')

export function parseCut(text: string): Cut {
  if (text === '') return []
  return text.split(',').map((entry) => {
    const match = /^(\d+)\/(\d+):(\d+)$/.exec(entry)
    if (!match) throw new RangeError(`"${entry}" is no cut entry such as 1/0:120`)
    return { log: Number(match[1]), partition: Number(match[2]), offset: BigInt(match[3] ?? 0) }
  })
}

/** Number of offsets below the cut, over all logs. */
export const cutPosition = (cut: Cut): bigint => cut.reduce((sum, { offset }) => sum + offset, 0n)

/**
 * Version under which hours are sealed: rollup code version (16 bits), position of the cut (64), hash of the cut (128).
 * The same cut always writes the same rows, a later cut sorts after an earlier one, and no clock is involved.
 */
export function sealVersion(rollupVersion: number, cut: Cut): bigint {
  const hash = createHash('sha256').update(formatCut(cut)).digest('hex').slice(0, 32)
  return (BigInt(rollupVersion) << 192n) | (cutPosition(cut) << 128n) | BigInt(`0x${hash}`)
}

/** True when b is at or beyond a in every partition. */
export function reaches(b: Cut, a: Cut): boolean {
  return a.every(({ log, partition, offset }) => {
    const other = b.find((entry) => entry.log === log && entry.partition === partition)
    return (other?.offset ?? 0n) >= offset
  })
}
