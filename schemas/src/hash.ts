import xxhash from 'xxhash-wasm'

const { h64Raw } = await xxhash()

// Two independent seeds make 128 bits out of XXH64. They are part of every stored key: they never change.
const highSeed = 0x7469_6465n
const lowSeed = 0x6d61_726bn

/** `xxh64x2`: XXH64 under two seeds, big-endian, written into `target` at `at`. The name stands in certificates. */
export function writeHash128(bytes: Uint8Array, target: Buffer, at: number): void {
  target.writeBigUInt64BE(h64Raw(bytes, highSeed), at)
  target.writeBigUInt64BE(h64Raw(bytes, lowSeed), at + 8)
}

export function hash128(bytes: Uint8Array): Buffer {
  const target = Buffer.allocUnsafe(16)
  writeHash128(bytes, target, 0)
  return target
}
