import { contains } from './code-points.ts'
import { parsePattern } from './parse.ts'
import { type Step, writeProgram } from './program.ts'

/** Where matching may stand after the same text: the characters that can follow, and whether there is a match. */
type State = {
  readonly waiting: number[]
  readonly isMatch: boolean
  readonly isMatchAtEnd: boolean
  /** By ASCII character, found as they are needed. */
  readonly next: (State | undefined)[]
}

/** A hostile pattern has more of them than memory; those beyond are found anew each time. */
const statesKept = 256
const keptCharacters = 128

/**
 * Whether text holds a match of the pattern, anywhere, as RegExp.test says. All ways are followed at once, so that the
 * time grows with the length of text times the steps of the pattern and with nothing else: whoever may write a pattern
 * must not be able to stop the process that runs it.
 * @throws PatternFault
 */
export function createMatcher(source: string): (text: string) => boolean {
  const steps = writeProgram(parsePattern(source))
  // Which round saw a step last, instead of new marks for each character.
  const seen = new Float64Array(steps.length)
  const seenAtEnd = new Float64Array(steps.length)
  let round = 0
  const states = new Map<string, State>()
  const first = stateFrom([0], true)
  // Nothing follows and nothing can begin later, as after ^: the rest of the text need not be read.
  const canBeginLater = stateFrom([0], false).waiting.length > 0

  /** Follows forks, ^ and $ until characters are awaited. */
  function stateFrom(starts: readonly number[], isAtBegin: boolean): State {
    round++
    const waiting: number[] = []
    let isMatch = false
    let isMatchAtEnd = false
    const open: [number, boolean][] = starts.map((at) => [at, false])
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [at, needsEnd] = next
      const marks = needsEnd ? seenAtEnd : seen
      if (marks[at] === round) continue
      marks[at] = round
      const step: Step | undefined = steps[at]
      if (step === undefined) continue
      if (step.kind === 'fork') open.push([step.or, needsEnd], [step.to, needsEnd])
      else if (step.kind === 'begin' && isAtBegin) open.push([at + 1, needsEnd])
      else if (step.kind === 'end') open.push([at + 1, true])
      else if (step.kind === 'one' && !needsEnd) waiting.push(at)
      else if (step.kind === 'match') {
        isMatchAtEnd = true
        if (!needsEnd) isMatch = true
      }
    }
    const state: State = { waiting, isMatch, isMatchAtEnd, next: [] }
    return states.size < statesKept ? keep(state) : state
  }

  function keep(state: State): State {
    state.waiting.sort((a, b) => a - b)
    const key = `${state.isMatch} ${state.isMatchAtEnd} ${state.waiting.join()}`
    const known = states.get(key)
    if (known) return known
    states.set(key, state)
    return state
  }

  function follow(state: State, point: number): State {
    const starts = [0]
    for (const at of state.waiting) {
      const step = steps[at]
      if (step?.kind === 'one' && contains(step.of, point)) starts.push(at + 1)
    }
    const next = stateFrom(starts, false)
    if (point < keptCharacters && states.size < statesKept) state.next[point] = next
    return next
  }

  return (text) => {
    let state = first
    for (let at = 0; at < text.length; at++) {
      if (state.isMatch) return true
      if (state.waiting.length === 0 && !canBeginLater) return false
      const point = text.codePointAt(at) ?? 0
      state = state.next[point] ?? follow(state, point)
      if (point > 0xffff) at++
    }
    return state.isMatchAtEnd
  }
}
