import type { IncomingMessage } from 'node:http'
import type { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { overloadedProblem, requestProblem } from '../request-problem.ts'
import type { Hold } from './byte-budget.ts'
import { type ContentCoding, createDecompressor } from './content-coding.ts'

export type BodyLimits = {
  /** As sent, and as decompressed. */
  bodyBytes: number
  /** Decompressed bytes for each byte sent. */
  compressionRatio: number
  /** From the end of the headers to the end of the body. */
  timeoutMs: number
}

type ReadOptions = { coding: ContentCoding; hold: Hold; limits: BodyLimits }

type Done = (error: Error | null, body?: Buffer) => void

/** Socket, request and answer of one call, which even the smallest body brings along. */
const requestBytes = 8_192
/** State and output of a decompressor. */
const decompressorBytes = 131_072
/** So little may be compressed at any ratio: short bodies of repeated events are no attack. */
const anyRatioBytes = 262_144

/**
 * Reads a body within its limits, what it is held in counted against the budget as it grows. A body that is refused is
 * read on and thrown away, for a while: a client that still sends would otherwise see its connection break instead of
 * the reason.
 */
export function readBody(payload: IncomingMessage, options: ReadOptions, done: Done): void {
  if (options.coding === 'identity' && payload.complete) readWhole(payload, options, done)
  else readParts(payload, options, done)
}

function readParts(payload: IncomingMessage, options: ReadOptions, done: Done): void {
  const { coding, hold, limits } = options
  const discardBytes = 3 * limits.bodyBytes
  const chunks: Buffer[] = []
  let sentBytes = 0
  let bodyBytes = 0
  let isSent = false
  let isSettled = false
  let problem: HttpProblem | undefined
  const decompressor = coding === 'identity' ? undefined : createDecompressor(coding)
  // Small bodies come together with their headers and need no clock.
  const timer = payload.complete ? undefined : setTimeout(refuseSlow, limits.timeoutMs)

  function settle(error: Error | null): void {
    if (isSettled) return
    isSettled = true
    clearTimeout(timer)
    payload.off('data', onData).off('end', onEnd).off('error', onError)
    if (error === null) done(null, Buffer.concat(chunks, bodyBytes))
    else {
      forget()
      done(error)
    }
  }

  function forget(): void {
    chunks.length = 0
    hold.release()
    decompressor?.destroy()
  }

  function refuse(found: HttpProblem): void {
    if (problem !== undefined) return
    problem = found
    forget()
    if (isSent) settle(found)
    else payload.resume()
  }

  function refuseSlow(): void {
    // Otherwise the rest of the body would hold the socket, and what follows it would be read as the next request.
    const headers = { connection: 'close' }
    settle(problem ?? requestProblem(408, 'body_too_slow', `At most ${limits.timeoutMs} ms.`, { headers }))
  }

  function refuseLarge(): void {
    const unpacked = decompressor === undefined ? '' : ', compressed and decompressed'
    refuse(tooLarge(limits, unpacked))
  }

  function keep(chunk: Buffer): void {
    if (problem !== undefined) return
    bodyBytes += chunk.length
    if (bodyBytes > limits.bodyBytes) refuseLarge()
    else if (hold.take(chunk.length)) chunks.push(chunk)
    else refuse(overloadedProblem())
  }

  function keepDecompressed(chunk: Buffer): void {
    keep(chunk)
    if (bodyBytes <= anyRatioBytes || bodyBytes <= limits.compressionRatio * sentBytes) return
    const limit = `At most ${limits.compressionRatio} bytes for each byte sent.`
    refuse(requestProblem(413, 'compression_ratio', limit))
  }

  function onData(chunk: Buffer): void {
    sentBytes += chunk.length
    if (problem !== undefined) {
      if (sentBytes > discardBytes) settle(problem)
    } else if (decompressor === undefined) keep(chunk)
    else if (sentBytes > limits.bodyBytes) refuseLarge()
    else if (!decompressor.write(chunk)) payload.pause()
  }

  function onEnd(): void {
    isSent = true
    if (problem !== undefined) settle(problem)
    else if (decompressor === undefined) settle(null)
    else decompressor.end()
  }

  /** The client has gone; nobody hears the answer. */
  function onError(): void {
    settle(requestProblem(400, 'body_incomplete'))
  }

  decompressor
    ?.on('data', keepDecompressed)
    .on('drain', () => payload.resume())
    .on('end', () => settle(null))
    .on('error', () => refuse(requestProblem(400, 'encoding_corrupt')))
  payload.on('data', onData).on('end', onEnd).on('error', onError)
  const announced = Number(payload.headers['content-length'])
  if (!hold.take(decompressor === undefined ? requestBytes : requestBytes + decompressorBytes))
    refuse(overloadedProblem())
  if (announced > limits.bodyBytes) refuseLarge()
  if (announced > discardBytes && problem !== undefined) settle(problem)
}

/** A body that came together with its headers is there already: without listeners, and without a copy. */
function readWhole(payload: IncomingMessage, { hold, limits }: ReadOptions, done: Done): void {
  const chunk: unknown = payload.read()
  const body = Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0)
  // Towards its end, so that the connection takes the next request.
  payload.resume()
  if (body.length > limits.bodyBytes) done(tooLarge(limits, ''))
  else if (!hold.take(requestBytes + body.length)) done(overloadedProblem())
  else done(null, body)
}

const tooLarge = ({ bodyBytes }: BodyLimits, unpacked: string): HttpProblem =>
  requestProblem(413, 'body_too_large', `At most ${bodyBytes} bytes${unpacked}.`)
