import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What a key may do: send events, read, or change everything. */
export const scopes = ['ingest', 'read', 'admin'] as const
export type Scope = (typeof scopes)[number]

export type ApiKeyMode = 'live' | 'test'

const keyIdLength = 16
const secretBytes = 32
const pattern = /^tm_(live|test)_([a-z0-9]{16})([A-Za-z0-9_-]{43})([0-9a-f]{8})$/

/**
 * `tm_live_` or `tm_test_`, key id, 32 random bytes in base64url, CRC-32 of all before it. The checksum lets a secret
 * scanner and the door tell a mistyped key from an unknown one without asking a database.
 * @param id 16 characters of a-z0-9
 */
export function formatApiKey(mode: ApiKeyMode, id: string, secret: Uint8Array): string {
  if (id.length !== keyIdLength || secret.length !== secretBytes)
    throw new RangeError('id of 16 characters, secret of 32 bytes')
  const body = `tm_${mode}_${id}${Buffer.from(secret).toString('base64url')}`
  return body + checksum(body)
}

/** The key's id and mode; undefined when the text is no key, whatever the database says. */
export function parseApiKey(text: string): { id: string; mode: ApiKeyMode } | undefined {
  const match = pattern.exec(text)
  const [, mode, id] = match ?? []
  if (!match || !id || checksum(text.slice(0, -8)) !== match[4]) return undefined
  return { id, mode: mode === 'live' ? 'live' : 'test' }
}

/** The only form in which a key is stored. */
export const hashApiKey = (text: string): Buffer => hash('sha256', text, 'buffer')

const checksum = (body: string): string => crc32(body).toString(16).padStart(8, '0')
