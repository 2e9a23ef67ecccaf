import { isUtf8 } from 'node:buffer'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { parseExactly, scanJson } from './exact-number.ts'
import { findJsonFault } from './json-fault.ts'

export type JsonBody =
  | { readonly kind: 'json'; readonly value: Json }
  /** `position` counts bytes for not_utf8, characters for not_json. */
  | { readonly kind: 'not_utf8' | 'not_json'; readonly position: number; readonly where: string }
  | { readonly kind: 'nested_too_deep'; readonly where: string }

/** An event nests 10 levels in an array of events; far beyond that the exact parse would overflow its stack. */
const mostLevels = 1_000

/** Reads bytes as JSON in UTF-8; numbers that a double would change come as InexactNumber. */
export function readJson(bytes: Buffer): JsonBody {
  if (!isUtf8(bytes)) {
    const position = findInvalidUtf8(bytes)
    return { kind: 'not_utf8', position, where: `The byte at ${position} (from 0) begins no character.` }
  }
  const { depth, suspicious } = scanJson(bytes)
  const text = bytes.toString('utf8')
  if (depth > mostLevels)
    return { kind: 'nested_too_deep', where: `It has ${depth} levels of arrays and objects.` }
  try {
    return { kind: 'json', value: suspicious ? parseExactly(text) : JSON.parse(text) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const position = findJsonFault(text)
    return { kind: 'not_json', position, where: describePlace(text, position) }
  }
}

function describePlace(text: string, position: number): string {
  const before = text.slice(0, position)
  const line = before.split('\n').length
  const column = position - before.lastIndexOf('\n')
  const place = `at character ${position} (line ${line}, column ${column})`
  return position >= text.length ? `It ends too early, ${place}.` : `It breaks ${place}.`
}

/** Index of the first byte that belongs to no valid character. */
export function findInvalidUtf8(bytes: Buffer): number {
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0
    const width = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
    if (width > 1 && !isUtf8(bytes.subarray(at, at + width))) return at
    at += width
  }
  return bytes.length
}
