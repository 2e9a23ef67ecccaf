/**
 * Instants as whole microseconds since 1970-01-01T00:00:00Z, in a number: exact up to the year 2255, and what
 * ClickHouse's DateTime64(6) and Avro's timestamp-micros count.
 */
export type Micros1970 = number

/**
 * A zone, or the rounding of the year's last microseconds to the next number there is, can carry a time beyond the years
 * that have four digits, and formatInstant would write five.
 */
const yearTenThousand = Date.UTC(10_000, 0, 1) * 1000

const zero = 0x30
const nine = 0x39

/** The number that `count` decimal digits make from `at` on; -1 where there is another character. */
function digitsAt(text: string, at: number, count: number): number {
  let value = 0
  for (let place = at; place < at + count; place += 1) {
    const code = text.charCodeAt(place)
    if (!(code >= zero && code <= nine)) return -1
    value = value * 10 + code - zero
  }
  return value
}

const isOneOf = (text: string, at: number, characters: string): boolean =>
  at < text.length && characters.includes(text.charAt(at))

/**
 * Reads RFC 3339 with a zone; digits beyond the microsecond are cut. Undefined when it is not such an instant. By hand:
 * every event has one, and a regular expression with its groups takes as long as the rest of its attributes together.
 */
export function parseInstant(text: string): Micros1970 | undefined {
  const year = digitsAt(text, 0, 4)
  const month = digitsAt(text, 5, 2)
  const day = digitsAt(text, 8, 2)
  const hour = digitsAt(text, 11, 2)
  const minute = digitsAt(text, 14, 2)
  const second = digitsAt(text, 17, 2)
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined
  if (!isOneOf(text, 10, 'Tt') || hour < 0 || hour > 23 || minute < 0 || minute > 59) return undefined
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  if (second < 0 || second > 59 || year < 100 || day < 1 || day > daysInMonth(year, month)) return undefined
  const zoneAt = text[19] === '.' ? endOfDigits(text, 20) : 19
  const fractionDigits = zoneAt - 20
  if (text[19] === '.' && (fractionDigits < 1 || fractionDigits > 9)) return undefined
  const offsetMinutes = zoneMinutes(text, zoneAt)
  if (offsetMinutes === undefined) return undefined
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second) - offsetMinutes * 60_000
  const micros = milliseconds * 1000 + microsecondsAt(text, 20, Math.min(fractionDigits, 6))
  return micros < yearTenThousand ? micros : undefined
}

/** Of that month of the Gregorian calendar; 0 where there is no such month. */
function daysInMonth(year: number, month: number): number {
  if (month < 1 || month > 12) return 0
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function endOfDigits(text: string, from: number): number {
  let at = from
  while (digitsAt(text, at, 1) >= 0) at += 1
  return at
}

function microsecondsAt(text: string, at: number, count: number): number {
  return count < 1 ? 0 : digitsAt(text, at, count) * 10 ** (6 - count)
}

/** Of the zone that takes the rest of the text: Z, or an offset such as +05:45. */
function zoneMinutes(text: string, at: number): number | undefined {
  if (text.length === at + 1) return isOneOf(text, at, 'Zz') ? 0 : undefined
  const hours = digitsAt(text, at + 1, 2)
  const minutes = digitsAt(text, at + 4, 2)
  if (text.length !== at + 6 || !isOneOf(text, at, '+-') || text[at + 3] !== ':') return undefined
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  return (text[at] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

/** `2026-11-01T00:00:00.000000Z`: always six decimals, always UTC, so that text sorts as time does. */
export function formatInstant(micros: Micros1970): string {
  const milliseconds = Math.floor(micros / 1000)
  const rest = micros - milliseconds * 1000
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}

/** As formatInstant, in the form that ClickHouse reads and prints for DateTime64(6, 'UTC'). */
export const formatClickHouseInstant = (micros: Micros1970): string =>
  formatInstant(micros).slice(0, -1).replace('T', ' ')

/** Reads what ClickHouse prints for DateTime64(6, 'UTC') or DateTime('UTC'). @throws RangeError for anything else. */
export function parseClickHouseInstant(text: string): Micros1970 {
  const micros = parseInstant(`${text.replace(' ', 'T')}Z`)
  if (micros === undefined) throw new RangeError(`"${text}" is not a ClickHouse instant`)
  return micros
}

export const microsPerHour = 3_600_000_000

/** Start of the UTC hour that the instant lies in. */
export const hourOf = (micros: Micros1970): Micros1970 => Math.floor(micros / microsPerHour) * microsPerHour
