import type { Json } from '@tidemark/schemas/canonical-json.ts'

declare global {
  interface JSON {
    /** ECMAScript 2026: the third argument holds the text of a primitive value. */
    parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => unknown): Json
  }
}

/** Stands where a number stood whose decimal text a double would change. */
export class InexactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const quote = 0x22
const backslash = 0x5c
const mostDigits = 15

export type JsonScan = {
  /** Levels of arrays and objects. */
  depth: number
  /** A number outside of strings has 16 digits or more, or an exponent. */
  suspicious: boolean
}

/** One look at the bytes of JSON text, at about a gigabyte a second: only what it suspects pays for an exact parse. */
export function scanJson(bytes: Uint8Array): JsonScan {
  let depth = 0
  let deepest = 0
  let digits = 0
  let suspicious = false
  const end = bytes.length
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte >= 0x30 && byte <= 0x39) {
      digits++
      if (digits > mostDigits) suspicious = true
      continue
    }
    // A decimal point continues the number.
    if (byte === 0x2e) continue
    // An exponent: the literals true and false have their e behind a letter.
    if ((byte === 0x65 || byte === 0x45) && digits > 0) suspicious = true
    digits = 0
    if (byte === quote) {
      at++
      while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return { depth: deepest, suspicious }
}

/** As JSON.parse, with an InexactNumber for each number that a double would change. Deep nesting overflows its stack. */
export const parseExactly = (text: string): Json =>
  JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !survives(source, value)
      ? new InexactNumber(source)
      : value,
  )

const numberText = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** Beyond it the plain text of a small number, which hashes rest on, is out of all proportion. */
const mostDecimals = 40

/** Whether a double keeps what the text says: integers below 2^53, else 15 significant digits and 40 decimals. */
export function survives(source: string, value: number): boolean {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  const [, integer = '', fraction = '', exponent = '0'] = numberText.exec(source) ?? []
  const digits = `${integer}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return true
  const decimals = fraction.length - (digits.length - significant.length) - Number(exponent)
  return decimals <= 0 || (significant.length <= mostDigits && decimals <= mostDecimals)
}
