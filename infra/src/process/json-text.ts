import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { HttpProblem } from './problem.ts'
import { isRecord } from './record.ts'

/** How JSON writes the characters that no store keeps; the rest of the text cannot hold them. */
const suspicious = /\\u(?:0000|[dD][89a-fA-F])/

/** Bodies of JSON: UTF-8, of which every store can keep every character. */
export function addJsonParser(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (!isUtf8(bytes)) return done(refused('not_utf8', 'The body is not UTF-8; send JSON in UTF-8.'))
    const text = bytes.toString()
    parse(request, text, (error, value) => {
      if (error) return done(text === '' ? error : refused('not_json', whyNotJson(text)))
      const path = suspicious.test(text) ? unstorableText(value) : undefined
      if (path === undefined) return done(null, value)
      const detail = `${path.slice(0, 200)} holds the character U+0000 or half of a surrogate pair, which cannot be stored; leave it out.`
      done(refused('text_not_storable', detail))
    })
  })
}

function whyNotJson(text: string): string {
  try {
    JSON.parse(text)
    return 'The body has a field named __proto__, or a constructor with a prototype, which is not taken; leave it out.'
  } catch (error) {
    return `The body is not JSON: ${error instanceof Error ? error.message : ''}.`
  }
}

const refused = (code: string, detail: string): HttpProblem => new HttpProblem({ status: 400, code, detail })

/** Where text stands that PostgreSQL would refuse, with a loop of its own: a body may be nested deeper than calls. */
export function unstorableText(value: unknown): string | undefined {
  const waiting: { path: string; value: unknown }[] = [{ path: 'The body', value }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, value: part } = next
    if (typeof part === 'string' && !isStorable(part)) return path
    if (!isRecord(part) && !Array.isArray(part)) continue
    for (const [name, inner] of Object.entries(part)) {
      if (!isStorable(name)) return `A field's name in ${path}`
      waiting.push({ path: path === 'The body' ? name : `${path}.${name}`, value: inner })
    }
  }
  return undefined
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
