/** Indexes into the distinct texts of a column. */
export type Dictionary = { readonly texts: readonly string[]; readonly indexes: Uint32Array }

/**
 * Rows in ClickHouse's Native format, column by column: the server takes numbers as they lie and texts of a dictionary once,
 * where rows one after the other cost it a call for each value. Several blocks after one another are one insert.
 * https://clickhouse.com/docs/interfaces/formats/Native
 */
export class NativeBlock {
  readonly #rows: number
  readonly #names: string[] = []
  readonly #pieces: Uint8Array[] = []

  constructor(rows: number) {
    this.#rows = rows
  }

  /** Names of the columns, in the order of the bytes. */
  get columns(): readonly string[] {
    return this.#names
  }

  /** Empty without rows: a block of none would end the insert. */
  bytes(): Uint8Array {
    if (this.#rows === 0) return new Uint8Array(0)
    return Buffer.concat([lengthBytes(this.#names.length), lengthBytes(this.#rows), ...this.#pieces])
  }

  /** A number of one byte; of an enumeration its number, which the server turns into its value. */
  int8(name: string, values: Uint8Array): this {
    return this.#column(name, 'Int8', values)
  }

  uint8(name: string, values: Uint8Array): this {
    return this.#column(name, 'UInt8', values)
  }

  /** The same value in every row, or one each. */
  uint16(name: string, values: Uint16Array | number): this {
    const each = typeof values === 'number' ? new Uint16Array(this.#rows).fill(values) : values
    return this.#column(name, 'UInt16', asBytes(each))
  }

  uint32(name: string, values: Uint32Array): this {
    return this.#column(name, 'UInt32', asBytes(values))
  }

  /** DateTime, in seconds since 1970. */
  seconds(name: string, values: Uint32Array): this {
    return this.#column(name, "DateTime('UTC')", asBytes(values))
  }

  /** Whole numbers from 0 to 2^53. */
  uint64(name: string, values: Float64Array): this {
    return this.#column(name, 'UInt64', int64Bytes(values))
  }

  /** DateTime64(6) from 1970 on, in microseconds. */
  micros(name: string, values: Float64Array): this {
    return this.#column(name, "DateTime64(6, 'UTC')", int64Bytes(values))
  }

  /** FixedString, one value behind the other. */
  fixed(name: string, length: number, values: Uint8Array): this {
    return this.#column(name, `FixedString(${length})`, values)
  }

  /** String: each its length as LEB128, then its UTF-8. */
  text(name: string, values: Uint8Array): this {
    return this.#column(name, 'String', values)
  }

  /** LowCardinality(String). */
  dictionary(name: string, { texts, indexes }: Dictionary): this {
    const width = texts.length <= 256 ? 0 : texts.length <= 65_536 ? 1 : 2
    const head = Buffer.alloc(24)
    // Version of the format; keys of its own, a dictionary that begins here, and the width of an index.
    head.writeUInt32LE(1, 0)
    head.writeUInt32LE(0x600 | width, 8)
    head.writeUInt32LE(texts.length, 16)
    const keys = Buffer.concat(
      texts.flatMap((text) => [lengthBytes(Buffer.byteLength(text)), Buffer.from(text)]),
    )
    const count = Buffer.alloc(8)
    count.writeUInt32LE(indexes.length, 0)
    const wide = width === 0 ? Uint8Array.from(indexes) : width === 1 ? Uint16Array.from(indexes) : indexes
    return this.#column(name, 'LowCardinality(String)', head, keys, count, asBytes(wide))
  }

  #column(name: string, type: string, ...values: readonly Uint8Array[]): this {
    this.#names.push(name)
    for (const text of [name, type])
      this.#pieces.push(lengthBytes(Buffer.byteLength(text)), Buffer.from(text))
    this.#pieces.push(...values)
    return this
  }
}

const asBytes = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array | Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** In their two halves: a bigint for each takes several times longer. */
function int64Bytes(values: Float64Array): Uint8Array {
  const halves = new Uint32Array(values.length * 2)
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0
    const high = Math.floor(value / 4_294_967_296)
    halves[2 * at] = value - high * 4_294_967_296
    halves[2 * at + 1] = high
  }
  return asBytes(halves)
}

/** LEB128. */
export function lengthBytes(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
