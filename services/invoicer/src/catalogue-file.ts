import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'

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
  return {
    value: document.toJS(),
    lineOf(path) {
      let node: unknown = document.contents
      let offset = 0
      for (const segment of segmentsOf(path)) {
        const found = childOf(node, segment)
        if (!found) break
        node = found.value
        offset = found.offset ?? offset
      }
      return lines.linePos(offset).line
    },
  }
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
