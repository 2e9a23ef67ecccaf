/** @param read gets the last answer, if there is one, which it may find to be still right */
type SharedReading<T> = (key: string, read: (before?: T) => Promise<T>) => Promise<T>

/**
 * Lets all who ask within a moment have one answer: what was read for the first is good enough for those that come
 * shortly after it. While an answer is asked for, the next one is read before it is too old, so that nobody has to wait
 * for it. A reading that fails is forgotten, and one that nobody asked for lately leaves.
 */
export function createSharedReading<T>(freshMs: number, mostKept: number): SharedReading<T> {
  const kept = new Map<string, Kept<T>>()

  function begin(read: (before?: T) => Promise<T>, before?: T): Kept<T> {
    const made: Kept<T> = { at: performance.now(), answer: read(before), isRenewed: false }
    made.answer.then(
      (value) => {
        made.value = value
      },
      // Whoever waits for it is told.
      () => {},
    )
    return made
  }

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
    const found = kept.get(key)
    const age = performance.now() - (found?.at ?? 0)
    if (found === undefined || age >= freshMs) return keep(key, begin(read, found?.value))
    if (age >= freshMs / 2 && !found.isRenewed) readAhead(key, found, begin(read, found.value))
    return found.answer
  }
}

type Kept<T> = { readonly at: number; readonly answer: Promise<T>; value?: T; isRenewed: boolean }
