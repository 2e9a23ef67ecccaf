import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import { hashBytes } from './redis-store.ts'

export type LookupsOptions = {
  /** The hashes of the identities, one behind the other; empty when none is known. */
  ask(identities: Buffer): Promise<Buffer>
  /** Longest wait for an answer, from the moment it is asked for, and a millisecond more for each thousand identities. */
  timeoutMs: number
  onLate(): void
  onFailed(): void
}

export type Lookups = {
  /** The hashes of the keys, one behind the other, empty where none is known; undefined where no answer came in time. */
  lookUp(keys: readonly Buffer[]): Promise<Buffer | undefined>
}

type Question = { keys: readonly Buffer[]; resolve(hashes: Buffer | undefined): void }

/** Redis does nothing else while it answers one question: half a millisecond for so many. */
const mostKeys = 1_000
/** Redis needs half of it. */
const msPerKey = 0.001

/**
 * Questions of all requests that arrived while one was under way go to Redis together. While an answer is late nothing is asked, so a
 * Redis that hangs delays the requests of one moment by the timeout and no others.
 */
export function createLookups({ ask, timeoutMs, onLate, onFailed }: LookupsOptions): Lookups {
  const waiting: Question[] = []
  let waitingKeys = 0
  let keysUnderWay = 0
  let late = 0
  let underWay = 0

  function flush(): void {
    if (waiting.length === 0) return
    underWay += 1
    const questions = waiting.splice(0)
    const keys = waitingKeys
    const identities = Buffer.allocUnsafe(keys * identityKeyBytes)
    waitingKeys = 0
    keysUnderWay += keys
    let at = 0
    for (const question of questions)
      for (const key of question.keys) {
        identities.set(key, at)
        at += identityKeyBytes
      }
    let state: 'asked' | 'late' | 'answered' = 'asked'
    const settle = (hashes: Buffer | undefined): void => {
      clearTimeout(timer)
      keysUnderWay -= keys
      underWay -= 1
      // What came in meanwhile goes together: a question of a few identities costs Redis as much as one of a hundred.
      if (underWay === 0) setImmediate(flush)
      if (state === 'late') late -= 1
      else answer(questions, hashes)
      state = 'answered'
    }
    const giveUp = (): void => {
      if (state !== 'asked') return
      state = 'late'
      late += 1
      onLate()
      answer(questions, undefined)
      answer(waiting.splice(0), undefined)
      waitingKeys = 0
    }
    // Behind one more look at the sockets: when this process was busy, the answer may be there already.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs + keysUnderWay * msPerKey)
    ask(identities).then(settle, () => {
      onFailed()
      settle(undefined)
    })
  }

  return {
    lookUp(keys) {
      if (late > 0) return Promise.resolve(undefined)
      if (waitingKeys + keys.length > mostKeys) flush()
      if (waiting.length === 0 && underWay === 0) setImmediate(flush)
      waitingKeys += keys.length
      return new Promise((resolve) => {
        waiting.push({ keys, resolve })
      })
    },
  }
}

function answer(questions: readonly Question[], hashes: Buffer | undefined): void {
  let at = 0
  for (const { keys, resolve } of questions) {
    const end = at + keys.length * hashBytes
    // Empty: none of all these is known.
    resolve(hashes === undefined || hashes.length === 0 ? hashes : hashes.subarray(at, end))
    at = end
  }
}
