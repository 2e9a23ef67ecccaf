import { unstorableText } from '@tidemark/infra/process/json-text.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'

export type CatalogueFile = {
  /** The file's content as JSON would have it. */
  readonly value: unknown
  /** The line, from 1, of what a path such as `plans[0].prices[2].meter` names, or of what should hold it. */
  lineOf(path: string): number
}

export type FileFault = { line: number; path: string; reason: string }

/** Reads YAML and remembers where everything stands; what is no YAML is told by its lines. */
export function readCatalogueFile(text: string): CatalogueFile | { faults: FileFault[] } {
  const lines = new LineCounter()
  // The schema without guesses beyond JSON's: an instant stays text.
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core' })
  if (document.errors.length > 0)
    return {
      faults: document.errors.map(({ pos, message }) => ({
        line: lines.linePos(pos[0]).line,
        path: '',
        reason: (message.split('\n')[0] ?? message).replace(/:$/, ''),
      })),
    }
  const lineOf = (path: string) => lines.linePos(offsetOf(document, path)).line
  const value = plainValue(document)
  if (value instanceof Error) {
    const line = lines.linePos(aliasOffset(document)).line
    return { faults: [{ line, path: '', reason: `an alias cannot be followed: ${value.message}` }] }
  }
  if (!isRecord(value)) {
    const reason = 'the file must hold meters, plans, customers and subscriptions, or some of them'
    return { faults: [{ line: 1, path: '', reason }] }
  }
  const path = unstorableText(value)
  if (path === undefined) return { value, lineOf }
  const reason = `${path} holds U+0000 or half of a surrogate pair, which cannot be stored; leave it out`
  return { faults: [{ line: lineOf(path), path, reason }] }
}

/** An alias may name nothing, unfold beyond measure, or stand inside of what it names: then there is no value. */
function plainValue(document: Document): unknown {
  try {
    const value: unknown = document.toJS()
    JSON.stringify(value)
    return value
  } catch (error) {
    if (error instanceof ReferenceError) return error
    return new Error('it stands inside of what it names')
  }
}

/** Where the first alias stands that names nothing, or else the first of all. */
function aliasOffset(document: Document): number {
  const offsets: number[] = []
  visit(document, {
    Alias(_key, alias) {
      const offset = alias.range?.[0] ?? 0
      if (alias.resolve(document) === undefined) offsets.unshift(offset)
      else offsets.push(offset)
    },
  })
  return offsets[0] ?? 0
}

function offsetOf(document: Document, path: string): number {
  let node: unknown = document.contents
  let offset = 0
  for (const segment of segmentsOf(path)) {
    const found = childOf(node, segment)
    if (!found) break
    node = found.value
    offset = found.offset ?? offset
  }
  return offset
}

/** `plans[0].id` as `plans`, `0`, `id`. */
export const segmentsOf = (path: string): string[] => path.match(/[^.[\]]+/g) ?? []

function childOf(node: unknown, segment: string): { value: unknown; offset: number | undefined } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(segment)]
    if (item === undefined) return undefined
    return { value: item, offset: isMap(item) || isSeq(item) || isScalar(item) ? item.range?.[0] : undefined }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment)
  if (!pair) return undefined
  return { value: pair.value, offset: isScalar(pair.key) ? pair.key.range?.[0] : undefined }
}
