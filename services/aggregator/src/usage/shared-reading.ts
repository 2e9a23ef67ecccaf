/** @param read gets the answer at hand, which it may find to be still right */
export type SharedReading<T> = (key: string, read: (before?: T) => Promise<T>) => Promise<T>

/**
 * Lets all who ask within a moment have one answer: what was read for the first is good enough for those that come
 * shortly after it. While an answer is asked for, the next one is read before it is too old, so that nobody has to wait
 * for it. A reading that fails is forgotten, and one that nobody asked for lately leaves.
 */
export function createSharedReading<T>(freshMs: number, mostKept: number): SharedReading<T> {
  const kept = new Map<string, Kept<T>>()

  function keep(key: string, made: Kept<T>): Promise<T> {
    kept.delete(key)
    kept.set(key, made)
    const oldest = kept.keys().next().value
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    made.answer.catch(() => {
      if (kept.get(key) === made) kept.delete(key)
    })
    return made.answer
  }

  function readAhead(key: string, found: Kept<T>, made: Kept<T>): void {
    found.isRenewed = true
    made.answer.then(
      () => {
        if (kept.get(key) === found) keep(key, made)
      },
      // Whoever asks when the answer at hand is too old reads again, and is told if that fails.
      () => {},
    )
  }

  return (key, read) => {
    const now = performance.now()
    const found = kept.get(key)
    if (found === undefined) return keep(key, { at: now, answer: read(), isRenewed: false })
    const age = now - found.at
    const renewed = () => ({ at: now, answer: found.answer.then(read), isRenewed: false })
    if (age >= freshMs) return keep(key, renewed())
    if (age >= freshMs / 2 && !found.isRenewed) readAhead(key, found, renewed())
    return found.answer
  }
}

type Kept<T> = { readonly at: number; readonly answer: Promise<T>; isRenewed: boolean }
