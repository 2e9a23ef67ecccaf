import { STATUS_CODES } from 'node:http'
import { Failure } from './failure.ts'
import { fieldErrors } from './field-errors.ts'
import { isRecord } from './record.ts'

export type HttpProblemOptions = {
  status: number
  /** Stable, snake_case, what clients decide by. */
  code: string
  /** What is wrong, where, and how to mend it. */
  detail: string
  /** Further members of the document, like `errors`. */
  extensions?: Record<string, unknown>
  headers?: Record<string, string>
}

/** An answer that is a refusal, as a problem document of RFC 9457; thrown by routes, written by the error handler. */
export class HttpProblem extends Error {
  readonly status: number
  readonly code: string
  readonly extensions: Record<string, unknown>
  readonly headers: Record<string, string>

  constructor(options: HttpProblemOptions) {
    super(options.detail)
    this.name = 'HttpProblem'
    this.status = options.status
    this.code = options.code
    this.extensions = options.extensions ?? {}
    this.headers = options.headers ?? {}
  }
}

export type ProblemDocument = { type: string; title: string; status: number; code: string; detail: string }

export function problemDocument(problem: HttpProblem): ProblemDocument & Record<string, unknown> {
  return {
    ...problem.extensions,
    type: `urn:tidemark:problem:${problem.code}`,
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    code: problem.code,
    detail: problem.message,
  }
}

/** How long a client waits before it tries again what a server behind us could not take. */
const retryAfterSeconds = 2

/** Turns whatever a route or Fastify threw into an answer that gives away nothing of the inside. */
export function asProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error instanceof Failure && error.retryable) return unavailable()
  const validation = validationProblem(error)
  if (validation !== undefined) return validation
  return fastifyProblem(error) ?? internal()
}

function unavailable(): HttpProblem {
  return new HttpProblem({
    status: 503,
    code: 'unavailable',
    detail: `A server behind this service does not answer; send the same request again in ${retryAfterSeconds} s.`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}

function internal(): HttpProblem {
  return new HttpProblem({
    status: 500,
    code: 'internal',
    detail: 'The service failed; its log names the cause under the id in the x-request-id header.',
  })
}

const partNames: Record<string, string> = { params: 'path', querystring: 'query' }

/** A body that is JSON but breaks its schema is 422; anything else that breaks one is 400. */
function validationProblem(error: unknown): HttpProblem | undefined {
  if (!isRecord(error) || !Array.isArray(error.validation)) return undefined
  const part = typeof error.validationContext === 'string' ? error.validationContext : 'request'
  const errors = fieldErrors(error.validation, part)
  const named = errors.map(({ field, reason }) => `${field} ${reason}`).join('; ')
  return new HttpProblem({
    status: part === 'body' ? 422 : 400,
    code: 'invalid_request',
    detail: `The ${partNames[part] ?? part} is not as expected: ${named}.`,
    extensions: { errors },
  })
}

const fastifyCodes: Record<string, { code: string; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body_too_large',
    detail: 'The body is larger than this route takes; send less at once.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'This route does not take that Content-Type; send JSON as application/json.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'not_json', detail: 'The body is not JSON.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'not_json',
    detail: 'The body is empty although the Content-Type says JSON.',
  },
  FST_ERR_BAD_URL: {
    code: 'bad_request',
    detail:
      'The path cannot be decoded; write its special characters as percent-encoded UTF-8, "%" itself as %25.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'bad_request',
    detail: 'A part of the path is longer than any key or id; check it for what was added by mistake.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_content_length',
    detail: 'The body is not as long as Content-Length says.',
  },
}

/** What Fastify itself refuses is the client's to mend, so its own message may be shown; a 5xx may not. */
function fastifyProblem(error: unknown): HttpProblem | undefined {
  if (!isRecord(error) || typeof error.statusCode !== 'number') return undefined
  if (error.statusCode < 400 || error.statusCode > 499) return undefined
  const known = typeof error.code === 'string' ? fastifyCodes[error.code] : undefined
  // JSON.parse's own message says where the text breaks.
  const where = error instanceof SyntaxError ? ` ${error.message}.` : ''
  const text = error instanceof Error ? error.message : 'The request is refused.'
  return new HttpProblem({
    status: error.statusCode,
    code: known?.code ?? (error instanceof SyntaxError ? 'not_json' : 'bad_request'),
    detail: known === undefined ? text : `${known.detail}${where}`,
  })
}
