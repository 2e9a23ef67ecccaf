import { connect } from 'node:net'

type HttpAnswer = { status: number; body: string }

export type HttpConnection = {
  /** One request at a time; the bytes may be changed again when it resolves. */
  post(body: Uint8Array): Promise<HttpAnswer>
  close(): void
}

export type HttpTarget = { port: number; path: string; headers: Readonly<Record<string, string>> }

const endOfHead = '\r\n\r\n'

/**
 * One kept-alive connection, and no more of HTTP than this needs: on two cores every microsecond of the client is taken
 * from the server that is measured.
 */
export async function openConnection({ port, path, headers }: HttpTarget): Promise<HttpConnection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const fixed = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${fixed.join('')}content-length: `
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined
  let received: Buffer = Buffer.alloc(0)

  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const answer = readAnswer(received)
    if (answer === undefined) return
    received = Buffer.alloc(0)
    waiting?.resolve(answer)
  })
  const fail = (error: Error) => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`the server at port ${port} ended the connection`)))

  return {
    post(body) {
      waiting = Promise.withResolvers()
      socket.cork()
      socket.write(`${head}${body.length}${endOfHead}`)
      socket.write(body)
      socket.uncork()
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

/** Undefined while it is incomplete. Fastify states the length of every answer. */
function readAnswer(bytes: Buffer): HttpAnswer | undefined {
  const headEnd = bytes.indexOf(endOfHead)
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
  const from = headEnd + endOfHead.length
  if (Number.isNaN(length)) throw new Error(`an answer without content-length: ${head}`)
  if (bytes.length < from + length) return undefined
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', from, from + length) }
}
