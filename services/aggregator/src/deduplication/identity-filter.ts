/**
 * Says of an identity that it is certainly new, without asking the store: a Bloom filter, or rather a row of them, each
 * twice as large as the one before, so that it grows without being built anew. It never forgets; an expired identity
 * only costs a look at the store. Identities hold hashes, so their own bits are taken for the places.
 */
export class IdentityFilter {
  readonly #layers: Uint32Array[] = []
  #left = 0

  add(identity: Buffer): void {
    if (this.#left === 0) this.#grow()
    this.#left -= 1
    const layer = this.#layers[this.#layers.length - 1]
    if (layer === undefined) return
    const mask = layer.length * 32 - 1
    for (let at = hashAt; at < hashEnd; at += 4) {
      const bit = identity.readUInt32LE(at) & mask
      layer[bit >>> 5] = (layer[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }

  /** False: it was never added. True: it may have been. */
  mayHold(identity: Buffer): boolean {
    const a = identity.readUInt32LE(hashAt)
    const b = identity.readUInt32LE(hashAt + 4)
    const c = identity.readUInt32LE(hashAt + 8)
    const d = identity.readUInt32LE(hashAt + 12)
    for (const layer of this.#layers) {
      const mask = layer.length * 32 - 1
      if (
        isSet(layer, a & mask) &&
        isSet(layer, b & mask) &&
        isSet(layer, c & mask) &&
        isSet(layer, d & mask)
      )
        return true
    }
    return false
  }

  bytes(): number {
    return this.#layers.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  #grow(): void {
    const capacity = firstCapacity * 2 ** this.#layers.length
    this.#layers.push(new Uint32Array((capacity * bitsPerIdentity) / 32))
    this.#left = capacity
  }
}

/** Behind the tenant's number. */
const hashAt = 4
const hashEnd = 20

/** A mebibyte; most partitions of most installations need no second layer. */
const firstCapacity = 1_048_576
/** With four places each, one new identity in forty looks like a known one when a layer is full. */
const bitsPerIdentity = 8

const isSet = (layer: Uint32Array, bit: number): boolean =>
  ((layer[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0
