import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, exactly, openAggregatorRoom, patience } from './aggregator-room.ts'

type Mode = 'open' | 'answers lost' | 'away'

/** Stands between the aggregator and ClickHouse: passes everything, loses the answers to inserts, or refuses. */
async function openProxy(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const proxy = { mode: 'open' as Mode, lost: 0, url: '', close: () => {} }
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    client.on('close', () => sockets.delete(client))
    if (proxy.mode === 'away') {
      client.destroy()
      return
    }
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => client.destroy())
    let inserting = false
    client.on('data', (bytes) => {
      inserting = bytes.includes('INSERT')
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (inserting && proxy.mode === 'answers lost') {
        proxy.lost += 1
        client.destroy()
      } else client.write(bytes)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  proxy.url = `http://127.0.0.1:${address.port}`
  proxy.close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return proxy
}

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => usageEvent({ id: `${name}-${at}` }))

async function withProxy(
  work: (room: AggregatorRoom, proxy: Awaited<ReturnType<typeof openProxy>>) => Promise<void>,
) {
  const room = await openAggregatorRoom('away')
  const proxy = await openProxy(room.installation.env.CLICKHOUSE_URL ?? '')
  try {
    await work(room, proxy)
  } finally {
    proxy.close()
    await room.close()
  }
}

test.concurrent('connections cut after the rows were sent: the rows are sent again and counted once', () =>
  withProxy(async (room, proxy) => {
    const service = await room.start({ CLICKHOUSE_URL: proxy.url })
    proxy.mode = 'answers lost'
    await room.producer.send(many('a', 300))
    await vi.waitFor(() => expect(proxy.lost).toBeGreaterThan(5), patience)
    proxy.mode = 'open'
    await room.drained()
    expect(await room.truth()).toEqual(exactly(300))
    expect(await service.stop()).toBe(0)
  }))

test.concurrent('away for longer than a step may take: the process ends, and the next one replays', () =>
  withProxy(async (room, proxy) => {
    const service = await room.start({ CLICKHOUSE_URL: proxy.url, AGGREGATOR_WRITE_TIMEOUT_MS: '1000' })
    await room.producer.send(many('a', 300))
    await room.drained()
    proxy.mode = 'away'
    proxy.close()
    await room.producer.send(many('b', 300))
    const ended = await room.ended(service)
    expect(ended.code).toBe(1)
    expect(ended.log).toContain('could not be written')
    const next = await room.start()
    await room.drained()
    expect(await room.truth()).toEqual(exactly(600))
    await next.stop()
  }))
