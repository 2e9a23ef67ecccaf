import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { FastifyRequest } from 'fastify'
import { acceptedCodings, type ContentCoding, readContentCoding } from '../body/content-coding.ts'
import { binaryModeEvent, decodeHeader } from '../events/binary-mode.ts'
import { type BodyForm, readContentType } from '../events/content-type.ts'
import { InexactNumber } from '../events/exact-number.ts'
import { readJson } from '../events/json-body.ts'
import { requestProblem } from '../request-problem.ts'

/** In binary mode the body is the data of one event, whose attributes are headers. */
export type RequestForm = BodyForm | 'binary'

/**
 * How the events are to be found, known from the headers alone, so that a body that cannot be used is not read.
 * @throws HttpProblem 415
 */
export function readForm(request: FastifyRequest): RequestForm {
  const header = request.headers['content-type']
  const isBinary = request.headers['ce-specversion'] !== undefined
  if (header === undefined && isBinary) return 'binary'
  const contentType = readContentType(header)
  if (contentType.kind === 'charset_unsupported')
    throw requestProblem(415, 'charset_unsupported', `Found ${contentType.charset}.`)
  if (contentType.kind !== 'form') throw requestProblem(415, 'unsupported_media_type')
  // A structured media type wins over headers that merely repeat its attributes, as the HTTP binding says.
  return isBinary && contentType.form === 'either' ? 'binary' : contentType.form
}

/** How the body is compressed. @throws HttpProblem 415 */
export function readCoding(request: FastifyRequest): ContentCoding {
  const header = request.headers['content-encoding']
  const coding = readContentCoding(header)
  if (coding !== undefined) return coding
  const headers = { 'accept-encoding': acceptedCodings }
  throw requestProblem(415, 'encoding_unsupported', `Found ${header}.`, { headers })
}

/** The events of a body, not yet looked at. @throws HttpProblem 400 where it holds none */
export function readEvents(request: FastifyRequest, form: RequestForm, body: Buffer): readonly Json[] {
  if (form === 'binary') {
    const data = body.length === 0 ? undefined : readBody(body)
    return [binaryModeEvent((attribute) => headerOf(request, attribute), data)]
  }
  const value = readBody(body)
  if (form !== 'event' && Array.isArray(value)) return value
  if (form !== 'batch' && isRecord(value) && !(value instanceof InexactNumber)) return [value]
  const expected = {
    event: 'a JSON object',
    batch: 'a JSON array',
    either: 'a JSON object or an array of them',
  }
  throw requestProblem(400, 'body_shape', `Expected ${expected[form]}.`)
}

function readBody(bytes: Buffer): Json {
  const body = readJson(bytes)
  if (body.kind === 'json') return body.value
  const extensions = body.kind === 'nested_too_deep' ? {} : { position: body.position }
  throw requestProblem(400, body.kind, body.where, { extensions })
}

function headerOf(request: FastifyRequest, attribute: string): string | undefined {
  const value = request.headers[`ce-${attribute}`]
  const text = Array.isArray(value) ? value[0] : value
  return text === undefined ? undefined : decodeHeader(text)
}
