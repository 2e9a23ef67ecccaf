/** How long to wait between tries, in milliseconds: the first wait, and the longest. */
export type Delays = { minMs: number; maxMs: number }

/** Doubles with every try. Without chance: what waits is one row, taken by one process. */
export const retryDelayMs = (tries: number, { minMs, maxMs }: Delays): number =>
  Math.min(maxMs, minMs * 2 ** Math.min(30, Math.max(0, tries - 1)))
