import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deleteTopics, durableTopicConfig, provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import { usagePartitions } from '@tidemark/schemas/topics.ts'
import { expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, exactly, openAggregatorRoom, patience } from './aggregator-room.ts'

async function inRoom(work: (room: AggregatorRoom) => Promise<void>): Promise<void> {
  const room = await openAggregatorRoom('log')
  try {
    await work(room)
  } finally {
    await room.close()
  }
}

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => usageEvent({ id: `${name}-${at}` }))

/** Consumes 200 events and stops. */
async function consumeSome(room: AggregatorRoom): Promise<void> {
  const service = await room.start()
  await room.producer.send(many('a', 200))
  await room.drained()
  await service.stop()
}

const deleteBefore = (room: AggregatorRoom, partition: number, offset: bigint): Promise<void> =>
  room.kafka.withAdmin('planting a gap', (admin) =>
    admin.deleteTopicRecords({
      topic: room.producer.topic,
      partitions: [{ partition, offset: offset.toString() }],
    }),
  )

const nextOffsetOf = async (room: AggregatorRoom, partition: number): Promise<bigint> => {
  const [row] = await room.clickHouse.query<{ next: string }>(
    'SELECT max(offset) + 1 AS next FROM usage_ledger WHERE partition = {partition:UInt16}',
    { partition },
  )
  return BigInt(row?.next ?? 0)
}

test.concurrent('a gap in the log stops it with offset_gap; once the range is recorded as lost it goes on', () =>
  inRoom(async (room) => {
    await consumeSome(room)
    const end = await nextOffsetOf(room, 3)
    await room.producer.send(many('b', 400))
    await deleteBefore(room, 3, end + 5n)

    const stopped = await room.ended(await room.start().catch(() => room.startFaulty({})))
    expect(stopped.code).toBe(1)
    expect(stopped.log).toContain('offset_gap')
    expect(await nextOffsetOf(room, 3)).toBe(end)

    const lost = {
      log: 1,
      partition: 3,
      first_offset: end,
      last_offset: end + 4n,
      reason: 'planted',
      recorded_by: 'test',
    }
    await room.clickHouse.insert('usage_lost', [{ ...lost, recorded_at: new Date().toISOString() }])
    const service = await room.start()
    await vi.waitFor(async () => expect((await room.truth()).missing).toBe(5), patience)
    expect(await room.truth()).toEqual({ ...exactly(595), missing: 5 })
    await service.stop()
    // With the state lost as well, the proof passes the lost range again.
    const again = await room.start({ AGGREGATOR_STATE_DIRECTORY: `${room.stateDirectory}-again` })
    await room.producer.send(many('c', 100))
    await vi.waitFor(async () => expect((await room.truth()).missing).toBe(5), patience)
    expect(await room.truth()).toEqual({ ...exactly(695), missing: 5 })
    await again.stop()
  }))

test.concurrent('records removed by retention up to exactly where it goes on are no gap', () =>
  inRoom(async (room) => {
    await consumeSome(room)
    await deleteBefore(room, 3, await nextOffsetOf(room, 3))
    const service = await room.start()
    await room.producer.send(many('b', 200))
    await room.drained()
    expect(await room.truth()).toEqual(exactly(400))
    await service.stop()
  }))

test.concurrent.each([
  { name: 'an empty one', count: 0, code: 'log_rewound' },
  { name: 'a longer one', count: 800, code: 'another_log' },
])('another log under the same name stops it: $name', ({ count, code }) =>
  inRoom(async (room) => {
    await consumeSome(room)
    const config = durableTopicConfig({ replicationFactor: 1, retentionMs: 86_400_000 })
    const spec = { name: room.producer.topic, partitions: usagePartitions, replicationFactor: 1, config }
    await deleteTopics(room.kafka, [spec.name])
    await provisionTopics(room.kafka, [spec])
    await vi.waitFor(() => room.producer.send(many('other', count)), patience)
    const stopped = await room.ended(await room.startFaulty({}))
    expect(stopped.code).toBe(1)
    expect(stopped.log).toContain(code)
    expect((await room.truth()).accepted).toBe(200)
  }),
)

test.concurrent('an unknown schema id, or a registry that is away, makes it wait and reject nothing', () =>
  inRoom(async (room) => {
    const registryUrl = room.installation.env.SCHEMA_REGISTRY_URL ?? ''
    let status: number | undefined = 404
    const proxy = createServer(async (request, response) => {
      if (status !== undefined && request.url?.includes('/schemas/ids/')) {
        response.writeHead(status).end('{"error_code":1,"message":"planted"}')
        return
      }
      const answer = await fetch(`${new URL(registryUrl).origin}${request.url}`, {
        method: request.method ?? 'GET',
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo
    try {
      await room.producer.send(many('a', 200))
      const url = `http://127.0.0.1:${port}${new URL(registryUrl).pathname}`
      const service = await room.startFaulty({ SCHEMA_REGISTRY_URL: url })
      const readiness = async () => {
        const answer = await fetch(`${service.url}/readyz`)
        return { status: answer.status, body: await answer.text() }
      }
      const waits = async (why: string) => {
        const { status: found, body } = await readiness()
        expect(found).toBe(503)
        expect(body).toContain(why)
      }
      await vi.waitFor(() => waits('planted'), patience)
      status = 503
      await vi.waitFor(() => waits('answered 503'), patience)
      expect(await room.truth()).toMatchObject({ accepted: 0, rejected: 0 })
      status = undefined
      await room.drained()
      expect(await room.truth()).toEqual(exactly(200))
      expect(await service.stop()).toBe(0)
    } finally {
      proxy.closeAllConnections()
      proxy.close()
    }
  }))
