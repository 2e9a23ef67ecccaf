/**
 * Rows in ClickHouse's RowBinary, appended to one buffer: a column after the other, without separators, little-endian.
 * https://clickhouse.com/docs/interfaces/formats/RowBinary
 */
export class RowBinary {
  #buffer: Buffer
  #at = 0

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(1_024, expectedBytes))
  }

  /** A view of what was written, good until the next write. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  /** UInt8, and Enum8 of positive values. */
  uint8(value: number): void {
    this.#reserve(1)
    this.#at = this.#buffer.writeUInt8(value, this.#at)
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#at = this.#buffer.writeUInt16LE(value, this.#at)
  }

  /** UInt32, and DateTime in seconds. */
  uint32(value: number): void {
    this.#reserve(4)
    this.#at = this.#buffer.writeUInt32LE(value, this.#at)
  }

  /** Offsets, which no log brings beyond 2^53. */
  uint64(value: bigint): void {
    this.#int64(Number(value))
  }

  /** DateTime64(6) from 1970 on, in microseconds. */
  micros(value: number): void {
    this.#int64(value)
  }

  /** A whole number from 0 to 2^53 in its two halves: a bigint written as such takes several times longer. */
  #int64(value: number): void {
    this.#reserve(8)
    const high = Math.floor(value / 4_294_967_296)
    this.#buffer.writeUInt32LE(value - high * 4_294_967_296, this.#at)
    this.#at = this.#buffer.writeUInt32LE(high, this.#at + 4)
  }

  /** FixedString of exactly these bytes. */
  fixed(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** String, and LowCardinality(String): its length in bytes as LEB128, then UTF-8. */
  string(text: string): void {
    this.#reserve(5 + 3 * text.length)
    // Up to 42 characters the length fits one byte, whatever they are.
    if (text.length <= 42) {
      const length = this.#buffer.write(text, this.#at + 1)
      this.#buffer[this.#at] = length
      this.#at += 1 + length
      return
    }
    let rest = Buffer.byteLength(text)
    for (; rest > 127; rest = Math.floor(rest / 128)) this.uint8((rest % 128) + 128)
    this.uint8(rest)
    this.#at += this.#buffer.write(text, this.#at)
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }
}
