const everyMs = 2_000

/** Passes a line on at most every two seconds: work of hours must not print a line for each of a million batches. */
export function throttled(tell: (line: string) => void): (line: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (line) => {
    const now = performance.now()
    if (now - toldAt < everyMs) return
    toldAt = now
    tell(line)
  }
}
