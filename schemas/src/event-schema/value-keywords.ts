import { canonicalJson, type Json } from '../canonical-json.ts'
import { decimal } from '../decimal.ts'
import { createMatcher } from '../pattern/matcher.ts'
import { PatternFault, parsePattern } from '../pattern/parse.ts'
import { stepsOf } from '../pattern/program.ts'
import { equals, isComposite } from './equality.ts'
import { formats, isFormat } from './formats.ts'
import { isObject, type Keyword, keyword, readCount, readNumber, readText } from './keyword.ts'
import { type Check, mismatch, shorten } from './mismatch.ts'

const types: { readonly [name: string]: { text: string; fits(value: Json): boolean } | undefined } = {
  string: { text: 'a string', fits: (value) => typeof value === 'string' },
  number: { text: 'a number', fits: (value) => typeof value === 'number' },
  integer: { text: 'an integer', fits: (value) => Number.isInteger(value) },
  boolean: { text: 'true or false', fits: (value) => typeof value === 'boolean' },
  object: { text: 'an object', fits: isObject },
  array: { text: 'an array', fits: Array.isArray },
  null: { text: 'null', fits: (value) => value === null },
}

const typeNames = Object.keys(types)

function readTypes(value: Json): string[] | undefined {
  const named = Array.isArray(value) ? value : [value]
  const known = named.filter((name) => typeof name === 'string').filter((name) => typeNames.includes(name))
  return known.length === named.length && known.length > 0 ? known : undefined
}

function checkTypes(names: readonly string[]): Check {
  const wanted = names.flatMap((name) => types[name] ?? [])
  const expected = wanted.map(({ text }) => text).join(' or ')
  const [only] = wanted
  if (only && wanted.length === 1)
    return (value) => (only.fits(value) ? undefined : mismatch(expected, value))
  return (value) => (wanted.some(({ fits }) => fits(value)) ? undefined : mismatch(expected, value))
}

function checkEnum(values: readonly Json[]): Check {
  const texts = values.map(canonicalJson)
  const scalars = new Set(values.filter((value) => !isComposite(value)))
  const composites = values.filter(isComposite)
  const expected = values.length === 1 ? shorten(texts.join()) : `one of ${shorten(texts.join(', '), 200)}`
  return (value) => {
    const isKnown = isComposite(value) ? composites.some((each) => equals(each, value)) : scalars.has(value)
    return isKnown ? undefined : mismatch(expected, value)
  }
}

const aboutNumbers = (
  fits: (value: number, limit: number) => boolean,
  text: (limit: string) => string,
): Keyword =>
  keyword({
    read: readNumber,
    expects: 'a number',
    check: (limit) => (value) =>
      typeof value !== 'number' || fits(value, limit)
        ? undefined
        : mismatch(text(canonicalJson(limit)), value),
  })

/** By their decimal texts: in floats 0.3 is no multiple of 0.1. */
function isMultiple(value: number, unit: number): boolean {
  const a = decimal(canonicalJson(value))
  const b = decimal(canonicalJson(unit))
  const scale = Math.max(a.scale, b.scale)
  const scaled = (of: typeof a) => of.coefficient * 10n ** BigInt(scale - of.scale)
  return scaled(a) % scaled(b) === 0n
}

/** Like JSON Schema, of characters and not of UTF-16 units. */
function lengthOf(text: string): number {
  let length = text.length
  for (let at = 0; at < text.length - 1; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) length--
  return length
}

const aboutLengths = (fits: (length: number, limit: number) => boolean, text: string): Keyword =>
  keyword({
    read: readCount,
    expects: 'a whole number from 0',
    check: (limit) => (value) =>
      typeof value !== 'string' || fits(lengthOf(value), limit)
        ? undefined
        : mismatch(`${text} ${limit} ${limit === 1 ? 'character' : 'characters'}`, value),
  })

const patternCharacters = 256

export function patternFault(source: string): string | undefined {
  if (source.length > patternCharacters) return `is longer than ${patternCharacters} characters`
  try {
    parsePattern(source)
    return undefined
  } catch (error) {
    if (error instanceof PatternFault) return error.message
    throw error
  }
}

export const patternSteps = (source: string): number => stepsOf(parsePattern(source))

const pattern: Keyword = {
  ...keyword({
    read: readText,
    expects: 'a regular expression',
    steps: patternSteps,
    check(source, { memory }) {
      const matches = createMatcher(source, memory)
      return (value) =>
        typeof value !== 'string' || matches(value)
          ? undefined
          : mismatch(`text that matches ${shorten(source)}`, value)
    },
  }),
  fault: (value) => (typeof value === 'string' ? patternFault(value) : 'must be a regular expression'),
}

export const valueKeywords: { readonly [name: string]: Keyword } = {
  type: keyword({
    read: readTypes,
    expects: `one of ${typeNames.join(', ')}, or an array of them`,
    check: checkTypes,
  }),
  enum: keyword({
    read: (value) => (Array.isArray(value) && value.length > 0 ? value : undefined),
    expects: 'an array of at least one value',
    check: checkEnum,
  }),
  const: keyword<{ value: Json }>({
    read: (value) => ({ value }),
    expects: 'any value',
    check: ({ value }) => checkEnum([value]),
  }),
  minimum: aboutNumbers(
    (value, limit) => value >= limit,
    (limit) => `at least ${limit}`,
  ),
  maximum: aboutNumbers(
    (value, limit) => value <= limit,
    (limit) => `at most ${limit}`,
  ),
  exclusiveMinimum: aboutNumbers(
    (value, limit) => value > limit,
    (limit) => `more than ${limit}`,
  ),
  exclusiveMaximum: aboutNumbers(
    (value, limit) => value < limit,
    (limit) => `less than ${limit}`,
  ),
  multipleOf: keyword({
    read: (value) => (typeof value === 'number' && value > 0 ? value : undefined),
    expects: 'a number above 0',
    check: (unit) => (value) =>
      typeof value !== 'number' || isMultiple(value, unit)
        ? undefined
        : mismatch(`a multiple of ${canonicalJson(unit)}`, value),
  }),
  minLength: aboutLengths((length, limit) => length >= limit, 'at least'),
  maxLength: aboutLengths((length, limit) => length <= limit, 'at most'),
  pattern,
  format: keyword({
    read: (value) => (isFormat(value) ? value : undefined),
    expects: `one of ${Object.keys(formats).join(', ')}`,
    check(name) {
      const { text, fits } = formats[name]
      return (value) => (typeof value !== 'string' || fits(value) ? undefined : mismatch(text, value))
    },
  }),
}
