import { isRecord } from '@tidemark/infra/process/record.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { eventLimits } from '@tidemark/schemas/usage-event.ts'
import { InexactNumber } from './exact-number.ts'
import { type EventFault, type EventFaultCode, eventFault } from './fault-codes.ts'

const { dataBytes, dataDepth } = eventLimits

/** The data's one text, or why it is refused. Absent data, and null, is empty text. */
export function readData(data: Json | undefined): string | EventFault {
  if (data === undefined || data === null) return ''
  if (!isRecord(data) || data instanceof InexactNumber) return eventFault('data_not_object', 'data')
  const found = findFault(data, 1)
  if (found) return eventFault(found.code, ['data', ...found.path].join('.'), found.detail)
  const text = canonicalJson(data)
  // Three bytes a UTF-16 unit at most: counting is only needed near the limit.
  if (text.length * 3 > dataBytes) {
    const bytes = Buffer.byteLength(text)
    if (bytes > dataBytes)
      return eventFault('data_too_large', 'data', `It takes ${bytes} bytes of at most ${dataBytes}.`)
  }
  return text
}

type DataFault = { code: EventFaultCode; path: string[]; detail: string }

const dataFault = (code: EventFaultCode, detail = ''): DataFault => ({ code, path: [], detail })

function findFault(value: Json | undefined, depth: number): DataFault | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : dataFault('text_malformed')
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof InexactNumber) return dataFault('number_inexact', `Found ${shorten(value.source)}.`)
  if (depth > dataDepth) return dataFault('data_too_deep', `At most ${dataDepth} levels.`)
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const found = findFault(value[at], depth + 1)
      if (found) return below(String(at), found)
    }
    return undefined
  }
  for (const key of Object.keys(value)) {
    const found = key.isWellFormed() ? findFault(value[key], depth + 1) : dataFault('text_malformed')
    if (found) return below(key, found)
  }
  return undefined
}

function below(segment: string, found: DataFault): DataFault {
  found.path.unshift(shorten(segment).toWellFormed())
  return found
}

/** Answers repeat what was sent only as far as it helps to find it. */
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
