/**
 * Lets all who ask within a moment have one answer: what was read for the first is good enough for those that come
 * shortly after it. A reading that fails is forgotten, and one that nobody asked for lately leaves.
 */
export function createSharedReading<T>(
  freshMs: number,
  mostKept: number,
): (key: string, read: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, { at: number; answer: Promise<T> }>()
  return (key, read) => {
    const now = performance.now()
    const found = kept.get(key)
    if (found !== undefined && now - found.at < freshMs) return found.answer
    const made = { at: now, answer: read() }
    kept.delete(key)
    kept.set(key, made)
    const oldest = kept.keys().next().value
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    made.answer.catch(() => {
      if (kept.get(key) === made) kept.delete(key)
    })
    return made.answer
  }
}
