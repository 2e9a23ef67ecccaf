/**
 * Instants as whole microseconds since 1970-01-01T00:00:00Z, in a number: exact up to the year 2255, and what
 * ClickHouse's DateTime64(6) and Avro's timestamp-micros count.
 */
export type Micros1970 = number

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/

/** A zone can carry a time beyond the years that have four digits, and formatInstant would write five. */
const yearTenThousandMs = Date.UTC(10_000, 0, 1)

/** Reads RFC 3339 with a zone; digits beyond the microsecond are cut. Undefined when it is not such an instant. */
export function parseInstant(text: string): Micros1970 | undefined {
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const utc = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const date = new Date(utc)
  // Date.UTC rolls 30 February over into March, and takes the years 0 to 99 for 1900 to 1999: what does not come back as
  // it went in was no date.
  if (date.getUTCFullYear() !== Number(year)) return undefined
  if (date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offsetMinutes = zoneMinutes(zone)
  if (offsetMinutes === undefined) return undefined
  const milliseconds = utc - offsetMinutes * 60_000
  if (milliseconds >= yearTenThousandMs) return undefined
  return milliseconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
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
