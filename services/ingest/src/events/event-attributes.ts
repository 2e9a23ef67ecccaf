import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { EventRules } from './event-rules.ts'
import { type EventFault, eventFault } from './fault-codes.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what CloudEvents forbids.
const forbidden = /[\u0000-\u001f\u007f-\u009f]/

/** A text of 1 to `mostBytes` bytes, or why it is none. Null counts as absent, as CloudEvents' JSON format says. */
export function readText(name: string, value: Json | undefined, mostBytes: number): string | EventFault {
  if (value === undefined || value === null) return eventFault('attribute_missing', name)
  if (typeof value !== 'string') return eventFault('attribute_not_text', name)
  if (value === '') return eventFault('attribute_empty', name)
  // Three bytes a UTF-16 unit at most: counting is only needed near the limit.
  if (value.length * 3 > mostBytes) {
    const bytes = Buffer.byteLength(value)
    if (bytes > mostBytes)
      return eventFault('attribute_too_long', name, `It takes ${bytes} bytes of at most ${mostBytes}.`)
  }
  if (forbidden.test(value) || !value.isWellFormed()) return eventFault('attribute_characters', name)
  return value
}

const dayMs = 86_400_000

/** The instant, undefined where none was sent, or why it is refused. */
export function readTime(
  value: Json | undefined,
  rules: EventRules,
  nowMicros: Micros1970,
): Micros1970 | undefined | EventFault {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') return eventFault('attribute_not_text', 'time')
  const time = parseInstant(value)
  if (time === undefined) return isOfFirstCentury(value) ? tooOld(rules) : eventFault('time_invalid', 'time')
  const aheadMs = (time - nowMicros) / 1000
  if (aheadMs > rules.futureMs)
    return eventFault('time_too_far_ahead', 'time', `At most ${Math.round(rules.futureMs / 1000)} s.`)
  return -aheadMs > rules.pastMs ? tooOld(rules) : time
}

const tooOld = ({ pastMs }: EventRules): EventFault =>
  eventFault('time_too_old', 'time', `At most ${Math.round(pastMs / dayMs)} days.`)

/**
 * The years 0000 to 0099 are what some languages send for "no time". They are instants, though not for parseInstant, and
 * whoever sends them must hear what is wrong with them. Five cycles of 400 years later the calendar is the same.
 */
const isOfFirstCentury = (text: string): boolean =>
  text.startsWith('00') && parseInstant(`20${text.slice(2)}`) !== undefined

const jsonMediaType = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json\s*(?:;|$)/i

export function dataContentTypeFault(value: Json | undefined): EventFault | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && jsonMediaType.test(value)) return undefined
  return eventFault('datacontenttype_unsupported', 'datacontenttype')
}
