import { maxHeaderSize } from 'node:http'
import type { Socket } from 'node:net'
import { HttpProblem, problemDocument } from './problem.ts'
import { isRecord } from './record.ts'

/**
 * Answers what is no request yet, or never becomes one, with a problem document as well, and ends the connection: where
 * the next request would begin nobody can tell. For Fastify's `clientErrorHandler`.
 */
export function answerConnectionError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const problem = connectionProblem(error)
  const { status, title, ...rest } = problemDocument(problem)
  const body = JSON.stringify({ ...rest, title, status })
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/**
 * Whether a whole request is being served, or its answer has begun: nonsense behind it must not be taken for its answer,
 * because it may yet be accepted. A broken connection says truly that nothing is known.
 */
function isAnswering(socket: Socket): boolean {
  const answer = '_httpMessage' in socket ? socket._httpMessage : undefined
  if (!isRecord(answer)) return false
  return answer.headersSent === true || (isRecord(answer.req) && answer.req.complete === true)
}

function connectionProblem({ code, message }: Error & { code?: string }): HttpProblem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HttpProblem({
      status: 408,
      code: 'request_too_slow',
      detail: 'The request did not arrive in time; send it without pauses, or less at once.',
    })
  if (code === 'HPE_HEADER_OVERFLOW')
    return new HttpProblem({
      status: 431,
      code: 'headers_too_large',
      detail: `The request line and the headers take more than ${maxHeaderSize} bytes; send fewer or shorter ones.`,
    })
  return new HttpProblem({
    status: 400,
    code: 'malformed_request',
    detail: `This is not HTTP/1.1 (${message}); if HTTPS was meant, speak to the proxy in front, this port speaks plain HTTP.`,
  })
}
