import { crc32c } from '@platformatic/kafka'
import type { OutboundMessage } from './record.ts'

/** Bytes before the first record of a batch; the checksum covers what follows its own four, from `attributesAt` on. */
const headBytes = 61
const checksumAt = 17
const attributesAt = 21
const magic = 2
const noProducer = -1
/** Varints of a record beside its content, at most. */
const framingBytes = 40

let scratch = Buffer.allocUnsafe(65_536)

/**
 * One record batch of one partition in Kafka's format of today (magic 2, not compressed, of no idempotent producer). It is
 * written into one piece of bytes: a client that makes a few objects for each field of each record costs several times as
 * much, and most of ingest's garbage.
 */
export function encodeRecordBatch(messages: readonly OutboundMessage[], timestampMs: number): Buffer {
  let at = headBytes
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index]
    if (message !== undefined) at = writeRecord(message, index, at)
  }
  const now = BigInt(timestampMs)
  scratch.writeBigInt64BE(0n, 0)
  scratch.writeInt32BE(at - 12, 8)
  // No leader epoch: only replicas state one.
  scratch.writeInt32BE(-1, 12)
  scratch.writeInt8(magic, 16)
  scratch.writeInt16BE(0, attributesAt)
  scratch.writeInt32BE(messages.length - 1, 23)
  scratch.writeBigInt64BE(now, 27)
  scratch.writeBigInt64BE(now, 35)
  scratch.writeBigInt64BE(BigInt(noProducer), 43)
  scratch.writeInt16BE(noProducer, 51)
  scratch.writeInt32BE(noProducer, 53)
  scratch.writeInt32BE(messages.length, 57)
  scratch.writeUInt32BE(crc32c(scratch.subarray(attributesAt, at)), checksumAt)
  return Buffer.from(scratch.subarray(0, at))
}

/** @returns where the next one begins */
function writeRecord({ key, value, headers }: OutboundMessage, index: number, from: number): number {
  const keyBytes = typeof key === 'string' ? Buffer.from(key) : key
  const pairs = headers === undefined ? noHeaders : Object.entries(headers).map(toHeader)
  const content =
    2 + varintBytes(index) + blobBytes(keyBytes) + blobBytes(value) + varintBytes(pairs.length) + sum(pairs)
  makeRoom(from + content + framingBytes)
  let at = writeVarint(content, from)
  // No attributes, and no time of its own: the batch's is that of all.
  scratch[at++] = 0
  scratch[at++] = 0
  at = writeVarint(index, at)
  at = writeBlob(keyBytes, at)
  at = writeBlob(value, at)
  at = writeVarint(pairs.length, at)
  for (const [name, text] of pairs) at = writeBlob(text, writeBlob(name, at))
  return at
}

type Header = readonly [name: Buffer, value: Buffer]

const noHeaders: readonly Header[] = []

const toHeader = ([name, value]: [string, Buffer | string]): Header => [
  Buffer.from(name),
  typeof value === 'string' ? Buffer.from(value) : value,
]

function sum(pairs: readonly Header[]): number {
  let bytes = 0
  for (const [name, value] of pairs) bytes += blobBytes(name) + blobBytes(value)
  return bytes
}

function makeRoom(bytes: number): void {
  if (bytes <= scratch.length) return
  const larger = Buffer.allocUnsafe(2 * bytes)
  scratch.copy(larger)
  scratch = larger
}

/** Signed numbers in which small ones of either sign are short, as in Protocol Buffers. */
const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) bytes += 1
  return bytes
}

function writeVarint(value: number, from: number): number {
  let at = from
  let rest = zigzag(value)
  for (; rest > 0x7f; rest >>>= 7) scratch[at++] = (rest & 0x7f) | 0x80
  scratch[at++] = rest
  return at
}

const blobBytes = (blob: Buffer | null): number =>
  blob === null ? 1 : varintBytes(blob.length) + blob.length

/** A length, then so many bytes; length -1 is null. */
function writeBlob(blob: Buffer | null, at: number): number {
  if (blob === null) return writeVarint(-1, at)
  const begin = writeVarint(blob.length, at)
  scratch.set(blob, begin)
  return begin + blob.length
}
