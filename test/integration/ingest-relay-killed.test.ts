import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { expect, test, vi } from 'vitest'
import { type ServiceProcess, spawnService } from '../service-processes.ts'
import { exactly, openAggregatorRoom } from './aggregator-room.ts'
import { sampleEvent } from './ingest-room.ts'

const events = 40_000
const kills = 3
const patience = { timeout: 60_000, interval: 5 }

test('killed with -9 in the middle of relaying, again and again, ingest loses nothing and bills nothing twice', async () => {
  const room = await openAggregatorRoom('relaykill')
  const logDirectory = await mkdtemp(join(tmpdir(), 'tidemark-relay-'))
  const services: ServiceProcess[] = []
  const count = async (): Promise<number> => {
    const ends = await fetchEndOffsets(room.kafka, room.producer.topic)
    return Number([...ends.values()].reduce((sum, end) => sum + end, 0n))
  }
  const startIngest = async (): Promise<ServiceProcess> => {
    const { stripe: port } = await freePorts()
    const service = spawnService({ name: 'ingest', port, env: room.installation.env, logDirectory })
    services.push(service)
    return service
  }
  const producer = createProducer(room.kafka)
  try {
    await room.installation.createTenant('acme')
    const topic = `${room.installation.prefix}usage.inbound.acme`
    for (let sent = 0; sent < events; sent += 1_000) {
      const message = (_: unknown, at: number) => ({
        partition: at % 4,
        key: null,
        value: Buffer.from(JSON.stringify(sampleEvent())),
      })
      await producer.send(topic, Array.from({ length: 1_000 }, message))
    }
    for (let killed = 0; killed < kills; killed += 1) {
      const before = await count()
      const victim = await startIngest()
      await vi.waitFor(async () => expect(await count()).toBeGreaterThan(before), patience)
      await victim.stop('SIGKILL')
      if (killed === 0) expect(await count()).toBeLessThan(events)
    }
    await startIngest()
    const aggregator = await room.start()
    await vi.waitFor(async () => {
      await room.drained()
      expect((await room.truth()).accepted).toBe(events)
    }, patience)
    await room.drained()
    expect(await room.truth()).toEqual(exactly(events))
    expect(await aggregator.stop()).toBe(0)
  } finally {
    for (const service of services) await service.stop('SIGKILL')
    await producer.disconnect()
    await room.close()
    await rm(logDirectory, { recursive: true, force: true })
  }
})
