import { gzipSync, zstdCompressSync } from 'node:zlib'

/** A whole body that is wrong in one way; it is made of a sound batch, none of which may be accepted. */
export type MalformedBody = {
  way: string
  body(sound: string): Buffer | string
  headers?: Record<string, string>
  status: number
  code: string
  /** Where in the body, in characters, or in bytes for what is no UTF-8. */
  position?(sound: string): number
}

/** The same batch with one member more in its last event. */
const withMember = (sound: string, member: string): string => `${sound.slice(0, -2)},${member}}]`
const contentType = (type: string): Record<string, string> => ({ 'content-type': type })
const encoding = (coding: string): Record<string, string> => ({ 'content-encoding': coding })

const notJson = (way: string, member: string, at: number): MalformedBody => ({
  way,
  body: (sound) => withMember(sound, member),
  status: 400,
  code: 'not_json',
  position: (sound) => sound.length - 1 + at,
})

const invalidUtf8 = (way: string, bytes: readonly number[]): MalformedBody => ({
  way,
  body: (sound) => {
    const [before, after] = withMember(sound, '"n":"@"').split('@')
    return Buffer.concat([Buffer.from(before ?? ''), Buffer.from(bytes), Buffer.from(after ?? '')])
  },
  status: 400,
  code: 'not_utf8',
  position: (sound) => sound.length + 4,
})

export const malformedBodies: readonly MalformedBody[] = [
  { way: 'nothing', body: () => '', status: 400, code: 'not_json', position: () => 0 },
  notJson('NaN', '"n":NaN', 4),
  notJson('Infinity', '"n":-Infinity', 4),
  notJson('a number with a leading zero', '"n":007', 5),
  notJson('hexadecimal', '"n":0xff', 5),
  notJson('single quotes', "'n':1", 0),
  notJson('a comment', '/* n */"n":1', 0),
  notJson('a tab inside text', '"n":"\t"', 5),
  notJson('a trailing comma', '"n":[1,]', 7),
  {
    way: 'a body that is cut short',
    body: (sound) => sound.slice(0, -1),
    status: 400,
    code: 'not_json',
    position: (sound) => sound.length - 1,
  },
  {
    way: 'two bodies in one',
    body: (sound) => sound + sound,
    status: 400,
    code: 'not_json',
    position: (sound) => sound.length,
  },
  {
    way: 'a byte order mark',
    body: (sound) => `\ufeff${sound}`,
    status: 400,
    code: 'not_json',
    position: () => 0,
  },
  invalidUtf8('a byte of Latin-1', [0xe4]),
  invalidUtf8('an overlong slash', [0xc0, 0xaf]),
  invalidUtf8('a surrogate in UTF-8', [0xed, 0xa0, 0x80]),
  {
    way: 'UTF-16',
    body: (sound) => Buffer.from(`\ufeff${sound}`, 'utf16le'),
    status: 400,
    code: 'not_utf8',
    position: () => 0,
  },
  { way: 'a number alone', body: () => '1e999', status: 400, code: 'body_shape' },
  { way: 'null', body: () => 'null', status: 400, code: 'body_shape' },
  {
    way: 'a batch as one event',
    body: (sound) => sound,
    headers: contentType('application/cloudevents+json'),
    status: 400,
    code: 'body_shape',
  },
  {
    way: '1,100 levels',
    body: (sound) => withMember(sound, `"n":${'['.repeat(1_100)}${']'.repeat(1_100)}`),
    status: 400,
    code: 'nested_too_deep',
  },
  {
    way: 'a million levels that never end',
    body: () => '[{"a":'.repeat(500_000),
    status: 400,
    code: 'nested_too_deep',
  },
  {
    way: 'the wrong charset',
    body: (sound) => Buffer.from(sound, 'latin1'),
    headers: contentType('application/json; charset=iso-8859-1'),
    status: 415,
    code: 'charset_unsupported',
  },
  {
    way: 'a form',
    body: (sound) => sound,
    headers: contentType('application/x-www-form-urlencoded'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    way: 'an unknown compression',
    body: (sound) => sound,
    headers: encoding('br'),
    status: 415,
    code: 'encoding_unsupported',
  },
  {
    way: 'plain text said to be gzip',
    body: (sound) => sound,
    headers: encoding('gzip'),
    status: 400,
    code: 'encoding_corrupt',
  },
  {
    way: 'gzip that is cut short',
    body: (sound) => gzipSync(sound).subarray(0, -5),
    headers: encoding('gzip'),
    status: 400,
    code: 'encoding_corrupt',
  },
  {
    way: 'a gzip bomb',
    body: () => gzipSync(Buffer.alloc(5_000_000, 32)),
    headers: encoding('gzip'),
    status: 413,
    code: 'compression_ratio',
  },
  {
    way: 'a gzip bomb of a gigabyte',
    body: () => gigabyteBomb(),
    headers: encoding('gzip'),
    status: 413,
    code: 'body_too_large',
  },
  {
    way: 'a zstd bomb',
    body: () => zstdCompressSync(Buffer.alloc(100_000_000, 32)),
    headers: encoding('zstd'),
    status: 413,
    code: 'compression_ratio',
  },
  {
    way: '10 MB',
    body: (sound) => withMember(sound, `"n":"${'x'.repeat(10_000_000)}"`),
    status: 413,
    code: 'body_too_large',
  },
  { way: '5,001 events', body: () => `[${'{},'.repeat(5_000)}{}]`, status: 413, code: 'too_many_events' },
]

/** Ten members of 100 MB, made from one: a decompressor reads them as one text. */
const gigabyteBomb = (): Buffer => {
  const member = gzipSync(Buffer.alloc(100_000_000, 32))
  return Buffer.concat(Array.from({ length: 10 }, () => member))
}
