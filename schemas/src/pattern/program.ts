import type { CodePoints } from './code-points.ts'
import type { Pattern } from './parse.ts'

/** One step of matching. `fork` goes both ways, `one` takes a character and goes on with the next step. */
export type Step =
  | { readonly kind: 'one'; readonly of: CodePoints }
  | { readonly kind: 'begin' | 'end' | 'match' }
  | { readonly kind: 'fork'; to: number; or: number }

/** How many steps the pattern takes, known without writing them: counts multiply. */
export function stepsOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'sequence':
      return pattern.parts.reduce((sum, part) => sum + stepsOf(part), 0)
    case 'choice':
      return pattern.parts.reduce((sum, part) => sum + stepsOf(part) + 2, 0)
    case 'repeat': {
      const { least, most } = pattern
      const part = stepsOf(pattern.part)
      const more = most === Number.POSITIVE_INFINITY ? part + 2 : (most - least) * (part + 1)
      return least * part + more
    }
    default:
      return 1
  }
}

export function writeProgram(pattern: Pattern): readonly Step[] {
  const steps: Step[] = []
  write(pattern, steps)
  steps.push({ kind: 'match' })
  return steps
}

function write(pattern: Pattern, steps: Step[]): void {
  switch (pattern.kind) {
    case 'sequence':
      for (const part of pattern.parts) write(part, steps)
      break
    case 'choice':
      writeChoice(pattern.parts, steps)
      break
    case 'repeat':
      writeRepeat(pattern, steps)
      break
    default:
      steps.push(pattern)
  }
}

function writeChoice(parts: readonly Pattern[], steps: Step[]): void {
  const ends: { to: number; or: number }[] = []
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1
    const fork = addFork(steps)
    write(part, steps)
    const end = addFork(steps)
    ends.push(end)
    fork.or = isLast ? fork.to : steps.length
  }
  for (const end of ends) end.to = end.or = steps.length
}

function writeRepeat({ part, least, most }: Extract<Pattern, { kind: 'repeat' }>, steps: Step[]): void {
  for (let copy = 0; copy < least; copy++) write(part, steps)
  if (most === Number.POSITIVE_INFINITY) {
    const fork = addFork(steps)
    const again = steps.length - 1
    write(part, steps)
    const back = addFork(steps)
    back.to = back.or = again
    fork.or = steps.length
    return
  }
  const forks: { or: number }[] = []
  for (let copy = least; copy < most; copy++) {
    forks.push(addFork(steps))
    write(part, steps)
  }
  for (const fork of forks) fork.or = steps.length
}

/** Goes on with the step after it until it is told otherwise. */
function addFork(steps: Step[]): { kind: 'fork'; to: number; or: number } {
  const fork = { kind: 'fork' as const, to: steps.length + 1, or: steps.length + 1 }
  steps.push(fork)
  return fork
}
