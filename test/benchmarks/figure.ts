/** One measured figure as the last line of a benchmark prints it; what does not apply is left out. */
export type Figure = {
  name: string
  unit: string
  median: number
  min: number
  max: number
  /** The raw ceiling of the same path in the same run, or the most that is allowed. */
  limit?: number
  /** median / limit */
  ratio?: number
  p50Ms?: number
  p99Ms?: number
}

export type Measured = {
  figures: Figure[]
  /** What was acknowledged and is not there, in words; a run with any of it fails. */
  lost: string[]
}

export type FigureDetails = { limit?: number; latenciesMicros?: readonly number[] }

/** The samples of all rounds as one figure. */
export function figureOf(
  name: string,
  unit: string,
  samples: readonly number[],
  { limit, latenciesMicros }: FigureDetails = {},
): Figure {
  const median = medianOf(samples)
  return {
    name,
    unit,
    median: rounded(median),
    min: rounded(Math.min(...samples)),
    max: rounded(Math.max(...samples)),
    ...(limit === undefined
      ? {}
      : { limit: rounded(limit), ratio: Math.round((median / limit) * 1000) / 1000 }),
    ...(latenciesMicros === undefined ? {} : percentiles(latenciesMicros)),
  }
}

export function medianOf(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function percentiles(latenciesMicros: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = Float64Array.from(latenciesMicros).sort()
  const at = (share: number) => rounded((sorted[Math.floor(sorted.length * share)] ?? 0) / 1000)
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Math.round(value * 100) / 100)
