/** What JSON.parse can give. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/**
 * One text for one value: keys sorted by code unit, no blanks, numbers in plain decimal text without an exponent (so
 * that 1e-7 and 0.0000001 are one payload, and ClickHouse can read either as a decimal). Hashes and certificates rest on
 * it: it never changes.
 */
export function canonicalJson(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return plainNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '[' : ','}${canonicalJson(item)}`
    return text === '' ? '[]' : `${text}]`
  }
  for (const key of Object.keys(value).sort())
    text += `${text === '' ? '{' : ','}${quote(key)}:${canonicalJson(value[key] ?? null)}`
  return text === '' ? '{}' : `${text}}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON escapes.
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

/** As JSON.stringify; most text needs no escape, and a call for each takes most of the time. */
const quote = (text: string): string => (escaped.test(text) ? JSON.stringify(text) : `"${text}"`)

const exponentForm = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/

function plainNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value)
  const text = String(value)
  const match = exponentForm.exec(text)
  if (!match) return text
  const [, sign = '', lead = '', fraction = '', power = '0'] = match
  const digits = lead + fraction
  const point = 1 + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
