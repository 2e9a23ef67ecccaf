import type { Transform } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'

export type ContentCoding = 'identity' | 'gzip' | 'zstd'

const codings: ReadonlyMap<string, ContentCoding> = new Map<string, ContentCoding>([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
])

/** What a 415 lists in Accept-Encoding. */
export const acceptedCodings = 'gzip, zstd'

/** Undefined for a coding that is not read, and for several one upon the other. */
export const readContentCoding = (header: string | undefined): ContentCoding | undefined =>
  header === undefined ? 'identity' : codings.get(header.trim().toLowerCase())

/** Fewer turns through the thread pool than zlib's 16 KiB, and still little beyond a limit. */
const chunkSize = 65_536

/** Windows beyond 8 MiB are forbidden in HTTP (RFC 9659): a few bytes could claim 128 MiB. */
const zstdWindowLog = 23

export function createDecompressor(coding: Exclude<ContentCoding, 'identity'>): Transform {
  if (coding === 'gzip') return createGunzip({ chunkSize })
  const params = { [constants.ZSTD_d_windowLogMax]: zstdWindowLog }
  // Without the last, a second frame would be left out without a word.
  const options = { chunkSize, params, rejectGarbageAfterEnd: true }
  return createZstdDecompress(options)
}
