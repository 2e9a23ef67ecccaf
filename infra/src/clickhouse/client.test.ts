import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type ClickHouse, createClickHouse } from './client.ts'

// What a real server hardly does on demand: connections that break or stay silent once the rows are on their way.
let server: Server | undefined
let clickHouse: ClickHouse | undefined
afterEach(async () => {
  await clickHouse?.close()
  server?.close()
})

async function connectTo(onRows: (socket: Socket) => void): Promise<ClickHouse> {
  server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => onRows(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  clickHouse = createClickHouse({ url: `http://127.0.0.1:${port}`, user: 'u', password: 'p', database: 'd' })
  return clickHouse
}

test('a connection reset after the rows were sent may be tried again', async () => {
  const client = await connectTo((socket) => socket.resetAndDestroy())
  const insert = client.insertNative('t', ['a'], [Buffer.from([1])])
  await expect(insert).rejects.toMatchObject({ code: 'clickhouse_unreachable', retryable: true })
})

test('no answer after the rows were sent may be tried again', async () => {
  const client = await connectTo(() => {})
  const insert = client.insert('t', [{ a: 1n }], ['a'], { timeoutMs: 50 })
  await expect(insert).rejects.toMatchObject({ code: 'clickhouse_timeout', retryable: true })
})

test('an insert says every setting that its safety rests on', async () => {
  let request = ''
  const client = await connectTo((socket) => socket.resetAndDestroy())
  server?.on('connection', (socket: Socket) =>
    socket.prependListener('data', (bytes: Buffer) => {
      request += bytes.toString('latin1')
    }),
  )
  await client.insertNative('t', ['a'], [Buffer.from([1])]).catch(() => {})
  expect(request).toContain('POST /?')
  for (const setting of [
    'async_insert=0',
    'insert_deduplicate=0',
    'deduplicate_insert=disable',
    'wait_end_of_query=1',
  ])
    expect(request).toContain(setting)
})
