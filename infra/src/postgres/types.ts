import { TypeOverrides, types } from 'pg'

const { builtins } = types
const arrayOfBigints = 1016
const arrayOfNumerics = 1231

/**
 * How columns become values: int8 as bigint, numeric as the decimal text (a float never touches an amount), date as
 * `YYYY-MM-DD`, timestamptz as ISO 8601 text in UTC with six decimals, because a Date ends at the millisecond.
 */
export function createColumnTypes(): TypeOverrides {
  const overrides = new TypeOverrides(types)
  overrides.setTypeParser(builtins.INT8, BigInt)
  overrides.setTypeParser(builtins.DATE, (text: string) => text)
  overrides.setTypeParser(builtins.TIMESTAMPTZ, isoFromTimestamp)
  overrides.setTypeParser(arrayOfNumerics, parseNumbers)
  overrides.setTypeParser(arrayOfBigints, (text: string) =>
    parseNumbers(text).map((item) => (item === null ? null : BigInt(item))),
  )
  return overrides
}

/** Elements of a one-dimensional array of numbers; unlike texts they are never quoted. */
export function parseNumbers(text: string): (string | null)[] {
  const inner = text.slice(1, -1)
  return inner === '' ? [] : inner.split(',').map((item) => (item === 'NULL' ? null : item))
}

const timestamp = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/

/** From what a session in UTC prints, like `2026-01-31 23:59:59.5+00`; `infinity` and years BC stay as they are. */
export function isoFromTimestamp(text: string): string {
  const match = timestamp.exec(text)
  if (match === null) return text
  const [, date, time, fraction = ''] = match
  return `${date}T${time}.${fraction.padEnd(6, '0')}Z`
}
