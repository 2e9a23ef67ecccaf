import { type Dictionary, lengthBytes } from '@tidemark/infra/clickhouse/native-block.ts'
import type { EventText, PackedEvent } from './packed-event.ts'

/** Below it a loop copies faster than a call does. */
const loopedBytes = 64
/** A length takes so many bytes at most: no record is larger than 2^35 bytes. */
const mostLengthBytes = 5

/** The column of one of the events' texts. */
export function textColumn(events: readonly PackedEvent[], field: EventText): Uint8Array {
  let room = 0
  for (const event of events) room += mostLengthBytes + event[`${field}End`] - event[`${field}At`]
  const target = Buffer.allocUnsafe(room)
  let at = 0
  for (const event of events) {
    const { bytes } = event
    const from = event[`${field}At`]
    const end = event[`${field}End`]
    const length = end - from
    if (length < 128) {
      target[at] = length
      at += 1
    } else {
      const prefix = lengthBytes(length)
      target.set(prefix, at)
      at += prefix.length
    }
    if (length <= loopedBytes)
      for (let byte = from; byte < end; byte += 1) target[at + byte - from] = bytes[byte] ?? 0
    else target.set(bytes.subarray(from, end), at)
    at += length
  }
  return target.subarray(0, at)
}

/** Distinct texts of a column that has few; most rows have the text of the row before. */
export class DictionaryBuilder {
  readonly #texts: string[] = []
  readonly #known = new Map<string, number>()
  readonly #indexes: Uint32Array
  #rows = 0
  #last: PackedEvent | undefined
  #lastIndex = 0

  constructor(rows: number) {
    this.#indexes = new Uint32Array(rows)
  }

  add(text: string): void {
    this.#indexes[this.#rows] = this.#indexOf(text)
    this.#rows += 1
  }

  addOf(event: PackedEvent, field: EventText): void {
    if (this.#last === undefined || !isSameText(this.#last, event, field)) {
      this.#lastIndex = this.#indexOf(event[field])
      this.#last = event
    }
    this.#indexes[this.#rows] = this.#lastIndex
    this.#rows += 1
  }

  done(): Dictionary {
    return { texts: this.#texts, indexes: this.#indexes }
  }

  #indexOf(text: string): number {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    this.#known.set(text, this.#texts.length)
    return this.#texts.push(text) - 1
  }
}

function isSameText(a: PackedEvent, b: PackedEvent, field: EventText): boolean {
  const from = a[`${field}At`]
  const other = b[`${field}At`]
  const length = a[`${field}End`] - from
  if (b[`${field}End`] - other !== length) return false
  for (let byte = 0; byte < length; byte += 1)
    if (a.bytes[from + byte] !== b.bytes[other + byte]) return false
  return true
}
