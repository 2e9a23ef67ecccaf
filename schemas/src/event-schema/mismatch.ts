import { canonicalJson, type Json } from '../canonical-json.ts'

/** Why a value does not fit a schema. */
export type Mismatch = {
  /** Names and indexes from the value that was checked to the part that does not fit. */
  readonly path: string[]
  /** Continues "expected", such as `a number`. */
  readonly expected: string
  /** Undefined where there is nothing. */
  readonly found: Json | undefined
}

/** Undefined when the value fits; else the first reason why not. */
export type Check = (value: Json) => Mismatch | undefined

export const mismatch = (expected: string, found: Json | undefined): Mismatch => ({
  path: [],
  expected,
  found,
})

export function below(segment: string, found: Mismatch): Mismatch {
  found.path.unshift(segment)
  return found
}

const mostShown = 60

/** Repeats what was sent only as far as it helps to find it. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return shorten(canonicalJson(typeof value === 'string' ? value.slice(0, mostShown + 1) : value))
}

export const shorten = (text: string, most = mostShown): string =>
  (text.length > most ? `${text.slice(0, most)}…` : text).toWellFormed()
