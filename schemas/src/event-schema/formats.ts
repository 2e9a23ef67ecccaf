import type { Json } from '../canonical-json.ts'
import { parseInstant } from '../instant.ts'

const matching = (pattern: RegExp) => (text: string) => pattern.test(text)

/** Formats are checked, not only noted: who writes one expects that. Each takes time that grows with the text alone. */
export const formats = {
  'date-time': {
    text: 'an RFC 3339 instant with a zone',
    fits: (text: string) => parseInstant(text) !== undefined,
  },
  date: {
    text: 'a date such as 2026-11-21',
    fits: (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== undefined,
  },
  uuid: {
    text: 'a UUID',
    fits: matching(/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i),
  },
  /** Not of JSON Schema: how events send quantities that a double would change. */
  decimal: {
    text: 'a decimal number as text, with at most 29 digits before and 9 behind the point',
    fits: matching(/^-?\d{1,29}(?:\.\d{1,9})?$/),
  },
} as const

export type Format = keyof typeof formats

export const isFormat = (value: Json): value is Format =>
  typeof value === 'string' && Object.hasOwn(formats, value)
