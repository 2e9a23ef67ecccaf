type Layer = { readonly words: Uint32Array; readonly blocks: number; left: number }

/**
 * Says of an identity that it is certainly new, without asking the store: a Bloom filter for as many as are expected, and
 * further ones, each twice as large, when more come. Each identity touches one block of a layer, which is one line of the
 * processor's cache: in filters of many megabytes a look is what costs. Identities hold hashes, so their own bits are taken
 * for the places.
 */
export class IdentityFilter {
  readonly #layers: Layer[] = []
  #capacity: number

  constructor(expected: number) {
    this.#capacity = Math.max(smallestCapacity, expected)
  }

  add(identity: Buffer): void {
    let layer = this.#layers[this.#layers.length - 1]
    if (layer === undefined || layer.left === 0) layer = this.#grow()
    layer.left -= 1
    const { words } = layer
    const block = blockOf(identity, layer)
    const one = wordAt(identity, 8)
    const two = wordAt(identity, 12)
    for (let shift = 0; shift < 27; shift += 9) {
      setBit(words, block, (one >>> shift) & 511)
      setBit(words, block, (two >>> shift) & 511)
    }
  }

  /** False: it was never added. True: it may have been. */
  mayHold(identity: Buffer): boolean {
    const one = wordAt(identity, 8)
    const two = wordAt(identity, 12)
    for (const layer of this.#layers) {
      const { words } = layer
      const block = blockOf(identity, layer)
      if (
        isSet(words, block, one & 511) &&
        isSet(words, block, two & 511) &&
        isSet(words, block, (one >>> 9) & 511) &&
        isSet(words, block, (two >>> 9) & 511) &&
        isSet(words, block, (one >>> 18) & 511) &&
        isSet(words, block, (two >>> 18) & 511)
      )
        return true
    }
    return false
  }

  bytes(): number {
    return this.#layers.reduce((sum, { words }) => sum + words.byteLength, 0)
  }

  #grow(): Layer {
    const blocks = Math.ceil((this.#capacity * bytesPerIdentity) / blockBytes)
    const layer = { words: new Uint32Array(blocks * blockWords), blocks, left: this.#capacity }
    this.#layers.push(layer)
    this.#capacity *= 2
    return layer
  }
}

const blockBytes = 64
const blockWords = 16
/** Twelve bits, of which six are set: one new identity in a hundred looks like a known one when a layer is full. */
export const bytesPerIdentity = 1.5
const smallestCapacity = 16_384

/** The hash lies behind the tenant's number. */
const hashAt = 4

const wordAt = (identity: Buffer, byte: number): number => {
  const at = hashAt + byte
  return (
    ((identity[at] ?? 0) |
      ((identity[at + 1] ?? 0) << 8) |
      ((identity[at + 2] ?? 0) << 16) |
      ((identity[at + 3] ?? 0) << 24)) >>>
    0
  )
}

/** First word of the identity's block. */
const blockOf = (identity: Buffer, { blocks }: Layer): number =>
  Math.floor((wordAt(identity, 0) / 4_294_967_296) * blocks) * blockWords

function setBit(words: Uint32Array, block: number, bit: number): void {
  const at = block + (bit >>> 5)
  words[at] = (words[at] ?? 0) | (1 << (bit & 31))
}

const isSet = (words: Uint32Array, block: number, bit: number): boolean =>
  ((words[block + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0
