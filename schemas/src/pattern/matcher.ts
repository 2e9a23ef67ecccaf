import { type CodePoints, contains } from './code-points.ts'
import { parsePattern } from './parse.ts'
import { type Step, writeProgram } from './program.ts'

/** Where matching may stand after the same text: which steps await a character, and whether there is a match. */
type State = {
  waiting: Uint16Array
  count: number
  isMatch: boolean
  isMatchAtEnd: boolean
  /** By ASCII character, found as they are needed; none where the state itself is not kept. */
  readonly next: (State | undefined)[] | undefined
}

/** What may still be kept to make matching faster; several matchers share it. */
export type MatcherMemory = { bytes: number }

const keptCharacters = 128
const kinds = { one: 0, begin: 1, end: 2, match: 3, fork: 4 } as const

/**
 * Whether text holds a match of the pattern, anywhere, as RegExp.test says. All ways are followed at once, so that the
 * time grows with the length of text times the steps of the pattern and with nothing else: whoever may write a pattern
 * must not be able to stop the process that runs it.
 * @throws PatternFault
 */
export function createMatcher(
  source: string,
  memory: MatcherMemory = { bytes: 262_144 },
): (text: string) => boolean {
  const steps = writeProgram(parsePattern(source))
  const explore = createExplorer(steps)
  const sets = steps.map((step): CodePoints => (step.kind === 'one' ? step.of : []))
  const states = new Map<string, State>()
  const starts = new Uint16Array(steps.length + 1)
  const spares = [emptyState(steps.length), emptyState(steps.length)] as const

  const begin = explore(starts, 1, true, spares[0])
  // Where nothing can begin later, as after ^, and nothing is awaited, the rest of the text need not be read.
  const later = explore(starts, 1, false, spares[1])
  const canBeginLater = later.count > 0 || later.isMatchAtEnd
  const first = copyOf(begin)

  /** The same state each time, as long as there is memory for it. */
  function keep(state: State): State {
    const bytes = state.count * 2 + keptCharacters * 8
    if (memory.bytes < bytes) return state
    const copy = copyOf(state)
    copy.waiting.sort()
    const key = `${state.isMatch} ${state.isMatchAtEnd} ${copy.waiting.join()}`
    const known = states.get(key)
    if (known) return known
    memory.bytes -= bytes
    states.set(key, copy)
    return copy
  }

  function follow(state: State, point: number): State {
    let count = 0
    if (canBeginLater) starts[count++] = 0
    for (let at = 0; at < state.count; at++) {
      const step = state.waiting[at] ?? 0
      if (contains(sets[step] ?? [], point)) starts[count++] = step + 1
    }
    const next = keep(explore(starts, count, false, state === spares[0] ? spares[1] : spares[0]))
    if (next.next !== undefined && state.next !== undefined && point < keptCharacters)
      state.next[point] = next
    return next
  }

  return (text) => {
    let state = first
    for (let at = 0; at < text.length; at++) {
      if (state.isMatch) return true
      if (state.count === 0 && !canBeginLater) return false
      const point = text.codePointAt(at) ?? 0
      state = state.next?.[point] ?? follow(state, point)
      if (point > 0xffff) at++
    }
    return state.isMatchAtEnd
  }
}

const emptyState = (steps: number): State => ({
  waiting: new Uint16Array(steps),
  count: 0,
  isMatch: false,
  isMatchAtEnd: false,
  next: undefined,
})

const copyOf = ({ waiting, count, isMatch, isMatchAtEnd }: State): State => ({
  waiting: waiting.slice(0, count),
  count,
  isMatch,
  isMatchAtEnd,
  next: [],
})

type Explore = (starts: Uint16Array, count: number, isAtBegin: boolean, into: State) => State

/** Follows forks, ^ and $ from where it starts until characters are awaited. It allocates nothing: it runs per character. */
function createExplorer(steps: readonly Step[]): Explore {
  const kind = Uint8Array.from(steps, (step) => kinds[step.kind])
  const to = Uint16Array.from(steps, (step, at) => (step.kind === 'fork' ? step.to : at + 1))
  const or = Uint16Array.from(steps, (step, at) => (step.kind === 'fork' ? step.or : at + 1))
  // Which round saw a step last, twice for each: behind a $ a step counts only at the end of the text.
  const seen = new Float64Array(steps.length * 2)
  const open = new Uint16Array(steps.length * 6)
  let round = 0

  return (starts, count, isAtBegin, into) => {
    round++
    into.count = 0
    into.isMatch = false
    into.isMatchAtEnd = false
    let left = 0
    for (let at = 0; at < count; at++) open[left++] = (starts[at] ?? 0) * 2
    while (left > 0) {
      const place = open[--left] ?? 0
      if (seen[place] === round) continue
      seen[place] = round
      const at = place >> 1
      const needsEnd = place & 1
      if (kind[at] === kinds.fork) {
        open[left++] = (or[at] ?? 0) * 2 + needsEnd
        open[left++] = (to[at] ?? 0) * 2 + needsEnd
      } else if (kind[at] === kinds.one) {
        if (needsEnd === 0) into.waiting[into.count++] = at
      } else if (kind[at] === kinds.end) open[left++] = (at + 1) * 2 + 1
      else if (kind[at] === kinds.begin) {
        if (isAtBegin) open[left++] = (at + 1) * 2 + needsEnd
      } else {
        into.isMatchAtEnd = true
        if (needsEnd === 0) into.isMatch = true
      }
    }
    return into
  }
}
