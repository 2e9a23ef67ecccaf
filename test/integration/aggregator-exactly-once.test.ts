import { readFile, rm } from 'node:fs/promises'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { usagePartitions } from '@tidemark/schemas/topics.ts'
import { rejectedEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, exactly, openAggregatorRoom, patience } from './aggregator-room.ts'

async function inRoom(work: (room: AggregatorRoom) => Promise<void>): Promise<void> {
  const room = await openAggregatorRoom('once')
  try {
    await work(room)
  } finally {
    await room.close()
  }
}

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => usageEvent({ id: `${name}-${at}` }))

test.concurrent('the same event three times, across batches and a restart, is billed once; another payload is told', () =>
  inRoom(async (room) => {
    const event = usageEvent({ id: 'one', data: '{"quantity":7}' })
    const first = await room.start()
    await room.producer.send([event, event])
    await room.drained()
    await first.stop()
    const second = await room.start()
    await room.producer.send([event])
    await room.drained()
    await room.producer.send([usageEvent({ id: 'one', time: event.time, data: '{"quantity":8}' })])
    await room.drained()
    expect(await room.truth()).toEqual({ ...exactly(1), conflict: 1 })
    const rows = await room.clickHouse.query(
      'SELECT data, toString(offset) AS offset FROM usage_events FINAL',
    )
    expect(rows).toEqual([{ data: '{"quantity":7}', offset: '0' }])
    await second.stop()
  }))

test.concurrent('a state directory that is lost or foreign is rebuilt from the ledger', () =>
  inRoom(async (room) => {
    const events = many('a', 500)
    const first = await room.start()
    await room.producer.send(events)
    await room.drained()
    await first.stop()
    await rm(room.stateDirectory, { recursive: true })
    const second = await room.start()
    await room.producer.send([...events, ...many('b', 10)])
    await room.drained()
    await second.stop()
    expect(await room.truth()).toEqual(exactly(510))
    // Emptied databases: the state knows of offsets that the ledger does not, and must not be believed.
    for (const table of ['usage_ledger', 'usage_ledger_by_identity', 'usage_ledger_by_cell', 'usage_events'])
      await room.clickHouse.command(`TRUNCATE TABLE ${table}`)
    const third = await room.start()
    await room.drained()
    expect(await room.truth()).toEqual(exactly(510))
    await third.stop()
  }))

test.concurrent('a gap in the ledger is found when the partition is opened, and consumed again alike', () =>
  inRoom(async (room) => {
    const events = many('a', 200)
    const first = await room.start()
    await room.producer.send([...events, ...events])
    await room.drained()
    await first.stop()
    const before = await room.truth()
    const rows = 'SELECT * FROM usage_ledger FINAL ORDER BY log, partition, offset'
    const ledger = await room.clickHouse.query(rows)
    await room.clickHouse.command('DELETE FROM usage_ledger WHERE offset BETWEEN 5 AND 9')
    await rm(room.stateDirectory, { recursive: true })
    const second = await room.start()
    await room.drained()
    expect(await room.truth()).toEqual(before)
    expect(await room.clickHouse.query(rows)).toEqual(ledger)
    await second.stop()
  }))

test.concurrent('a zombie that wakes after its partitions were taken over changes nothing', () =>
  inRoom(async (room) => {
    await room.producer.send([...many('a', 400), ...many('a', 400)])
    const zombie = await room.startFaulty({
      TIDEMARK_FAULT_STEP: 'decided',
      TIDEMARK_FAULT_SIGNAL: 'SIGSTOP',
    })
    await vi.waitFor(async () => {
      expect(await readFile(`/proc/${zombie.process.pid}/status`, 'utf8')).toMatch(/^State:\s+T/m)
    }, patience)
    const successor = await room.start()
    await room.producer.send([...many('a', 400), ...many('b', 400)])
    await room.drained()
    expect(await room.truth()).toEqual(exactly(800))
    zombie.process.kill('SIGCONT')
    await room.producer.send(many('c', 100))
    await room.drained()
    // It ends by itself or when it is told: what it had decided is written by then, or never.
    await zombie.stop()
    expect(await room.truth()).toEqual(exactly(900))
    await successor.stop()
  }))

test.concurrent('two processes share the partitions, and one that leaves loses nothing', () =>
  inRoom(async (room) => {
    const first = await room.start()
    await room.producer.send(many('a', 300))
    const second = await room.start()
    await room.producer.send(many('b', 300))
    await first.stop()
    await room.producer.send([...many('a', 300), ...many('c', 300)])
    await room.drained()
    expect(await room.truth()).toEqual(exactly(900))
    await second.stop()
  }))

test.concurrent('what cannot be read is rejected with its bytes and its reason, and stops nothing', () =>
  inRoom(async (room) => {
    const good = room.producer.encode(usageEvent({ id: 'good' }))
    const wrong = (good.partition + 1) % usagePartitions
    const key = 'whatever'
    const [magic, ...rest] = good.value
    const invalidTime = room.producer.encode(usageEvent({ id: 'late', time: -1 }))
    const voiding = room.producer.encode(usageEvent({ id: 'never came', action: 'void', revision: 1 }))
    const unnumbered = room.producer.encode(usageEvent({ id: 'good', action: 'void' }))
    const negative = room.producer.encode(usageEvent({ id: 'negative', revision: -1 }))
    await room.producer.sendRaw([
      good,
      { ...good, partition: wrong },
      { partition: 0, key, value: Buffer.alloc(0) },
      { partition: 0, key, value: Buffer.from([magic === 0 ? 1 : 0, ...rest]) },
      { partition: 0, key, value: good.value.subarray(0, 20) },
      invalidTime,
      voiding,
      unnumbered,
      negative,
      { partition: 0, key, value: Buffer.concat([good.value.subarray(0, 20), Buffer.alloc(700_000, 0xff)]) },
    ])
    const service = await room.start()
    await room.drained()
    expect(await room.truth()).toMatchObject({ missing: 0, accepted: 1, raw: 1, unmatched: 0 })
    const topic = `${room.installation.prefix}usage.rejected`
    const rejected = []
    for (const [partition, end] of await fetchEndOffsets(room.kafka, topic)) {
      for (let offset = 0n; offset < end; offset += 1n) {
        const framed = unframe((await readRecordAt(room.kafka, topic, partition, offset))?.value ?? null)
        if (framed.kind === 'framed') rejected.push(rejectedEventType.fromBuffer(framed.payload))
      }
    }
    expect([...new Set(rejected.map(({ code }) => code))].sort()).toEqual([
      'empty_value',
      'invalid_revision',
      'invalid_time',
      'no_framing',
      'undecodable',
      'unknown_original',
      'wrong_partition',
    ])
    expect(rejected.find(({ code }) => code === 'wrong_partition')).toMatchObject({
      original: good.value,
      originTopic: room.producer.topic,
      originPartition: wrong,
    })
    const oversize = rejected.find(({ reason }) => reason.includes('of which the first are kept'))
    expect(oversize?.original).toHaveLength(512 * 1024)
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).toMatch(/tidemark_aggregator_oversize_rejections_total\{[^}]*\} 1\n/)
    expect(metrics).toMatch(/tidemark_aggregator_rejections_total\{code="wrong_partition"[^}]*\} 1\n/)
    expect(await readFile(service.logFile, 'utf8')).toContain(
      'records are rejected; they are kept on usage.rejected',
    )
    await service.stop()
  }))

test.concurrent('a backfill of years in one batch goes in whole', () =>
  inRoom(async (room) => {
    const month = 30 * 86_400_000_000
    const times = Array.from({ length: 1_600 }, (_, at) => Date.now() * 1000 - (at % 130) * month)
    await room.producer.send(times.map((time, at) => usageEvent({ id: `old-${at}`, time })))
    const service = await room.start()
    await room.drained()
    expect(await room.truth()).toEqual(exactly(1_600))
    await service.stop()
  }))

test.concurrent('a backfill that the state has forgotten is looked for in the ledger, in earlier logs too', () =>
  inRoom(async (room) => {
    const time = Date.now() * 1000 - 100 * 86_400_000_000
    const known = usageEvent({ id: 'known', time })
    const other = usageEvent({ id: 'other', time })
    // Its batch broke off before the ledger knew of it, and then its log was lost.
    const unfinished = usageEvent({ id: 'unfinished', time })
    for (const [index, { tenantNumber, source, id, payloadHash }] of [known, other, unfinished].entries()) {
      const identity = identityKey(tenantNumber, source, id).toString('hex')
      const hash = (id === 'other' ? Buffer.alloc(16, 7) : payloadHash).toString('hex')
      for (const table of ['usage_ledger_by_identity', ...(id === 'unfinished' ? [] : ['usage_ledger'])])
        await room.clickHouse.command(
          `INSERT INTO ${table} (identity, log, partition, offset, verdict, payload_hash, append_time)
           SELECT unhex({identity:String}), 0, 7, ${index}, 'accepted', unhex({hash:String}),
             toDateTime64('2026-01-01 00:00:00', 6, 'UTC')`,
          { identity, hash },
        )
    }
    const service = await room.start()
    const fresh = usageEvent({ id: 'new', time })
    await room.producer.send([known, other, unfinished, fresh, usageEvent({ id: 'known' })])
    // Under a time of its own the same id is not asked for: it is a new event.
    await vi.waitFor(async () => {
      const verdicts = await room.clickHouse.query<{ verdict: string; first: number }>(
        'SELECT verdict, first_log AS first FROM usage_ledger FINAL WHERE log = 1 ORDER BY verdict, first',
      )
      expect([...new Set(verdicts.map(({ verdict, first }) => `${verdict} ${first}`))]).toEqual([
        'accepted 1',
        'duplicate 0',
        'conflict 0',
      ])
      expect((await room.truth()).raw).toBe(3)
    }, patience)
    await service.stop()
  }))
