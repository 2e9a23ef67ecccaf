import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { aclsOf, roles } from '@tidemark/infra/installation/kafka-acls.ts'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import { type Acl, createAcls, describeAcls } from '@tidemark/infra/kafka/acls.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { deleteTopics, fetchEndOffsets, listTopics, provisionTopics } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import * as named from '@tidemark/schemas/topics.ts'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { openKafkaAs } from '../secure-broker.ts'
import type { ServiceProcess } from '../service-processes.ts'
import { type AclsRoom, openAclsRoom, products, type Ran } from './acls-room.ts'
import { postEvents, sampleEvent } from './ingest-room.ts'
import { legacyInvoice, tellInvoice } from './two-invoices.ts'

/** Every program does its work with the ACLs of the list, as a principal of its own, and can do nothing beyond it. */
const soon = { timeout: 60_000, interval: 50 }
const inbound = named.inboundTopic('acme')
const keysCommand = '@tidemark/ingest/keys-command.ts'
const rejectedCommand = '@tidemark/ingest/rejected-command.ts'
const anyTopic = { partitions: 1, replicationFactor: 1, config: {} }
const refused = { code: 'kafka_refused', retryable: false, message: expect.stringContaining('npm run acls') }

let room: AclsRoom
let ingest: ServiceProcess
let key: string

beforeAll(async () => {
  room = await openAclsRoom(inject('stackEnvironment'))
})
afterAll(() => room?.close())

const acls = (args: string[], role = 'admin'): Promise<Ran> =>
  room.command('@tidemark/infra/installation/acls-command.ts', args, role)

async function endOf(topic: string): Promise<number> {
  const ends = await fetchEndOffsets(room.admin, room.installation.prefix + topic)
  return Number([...ends.values()].reduce((sum, end) => sum + end, 0n))
}

test('the list is granted once, found complete afterwards, and an administrator alone may do that', async () => {
  const count = roles.flatMap(({ grants }) => aclsOf('', '', grants)).length
  const before = await acls(['check'])
  expect(before.code).toBe(2)
  expect(before.out.match(/^missing: User:tidemark-/gm)).toHaveLength(count)
  expect((await acls(['apply'])).out).toContain(`${count} of ${count} granted`)
  expect((await acls(['apply'])).out).toContain(`0 of ${count} granted`)
  expect(await acls(['check'])).toMatchObject({ code: 0 })
  const denied = await acls(['apply'], 'operator')
  expect(denied).toMatchObject({ code: 1, out: '' })
  expect(denied.err).toMatch(/CLUSTER_AUTHORIZATION_FAILED.*administrator of the cluster/)
})

test('the provisioner makes the topics, the operator a tenant with its inbound topic', async () => {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const { prefix } = room.installation
  await deleteTopics(room.admin, [prefix + named.findingsTopic])
  await provisionInstallation({ env: room.envOf('provisioner'), log })
  const made = await room.command(keysCommand, ['create', '--tenant', 'acme'], 'operator')
  expect(made).toMatchObject({ code: 0 })
  key = made.out.trim()
  const wanted = [named.findingsTopic, inbound].map((topic) => prefix + topic)
  expect(await listTopics(room.admin)).toEqual(expect.arrayContaining(wanted))
  const granted = await acls(['apply', '--tenant', 'acme', '--principal', `User:${products}`])
  expect(granted.out).toContain('1 of 1 granted')
})

test('the four services, the products and the operator do their work with these rights', async () => {
  const { kafka, registry, redis, postgres } = await freePorts()
  const state = { AGGREGATOR_STATE_DIRECTORY: join(room.folder, 'state') }
  const [first] = await Promise.all([
    room.start('ingest', kafka, { INGEST_TENANT_POLL_MS: '200' }),
    room.start('aggregator', registry, state),
    room.start('invoicer', redis),
    room.start('reconciler', postgres),
  ])
  ingest = first
  expect(await postEvents(ingest.url, sampleEvent(), { key })).toMatchObject({ status: 202 })
  await room.send(products, inbound, [sampleEvent(), Buffer.from('not an event')])
  await room.send('operator', named.usageEventsTopic, [Buffer.from('no record of this topic')])
  await vi.waitFor(async () => expect(await verdicts()).toEqual(['accepted 2', 'rejected 1']), soon)
  // From both of its writers, read without a group.
  await vi.waitFor(async () => {
    const { out } = await room.command(rejectedCommand, ['list'], 'operator')
    expect(out).toContain(`${inbound}/0/1`)
    expect(out).toContain(`${named.usageEventsTopic}/0/`)
  }, soon)

  await tellInvoice(room.installation.openPool('tidemark_invoicer'))
  await room.send('bridge', named.legacyTopic, [legacyInvoice])
  await vi.waitFor(async () => expect(await endOf(named.findingsTopic)).toBe(1), soon)
})

test('a right that is taken away stops what needs it, not the process, and works again once it is granted', async () => {
  const topic = room.installation.prefix + named.usageEventsTopic
  await takeFromIngest(({ name }) => name === topic)
  await vi.waitFor(async () => {
    const answer = await postEvents(ingest.url, sampleEvent(), { key })
    expect(answer).toMatchObject({ status: 503, body: { code: 'kafka_unavailable' } })
  }, soon)
  await room.send(products, inbound, [sampleEvent()])
  expect(await readFile(ingest.logFile, 'utf8')).toMatch(/"level":"error".*npm run acls.*refuses what is pub/)
  expect((await fetch(`${ingest.url}/readyz`)).status).toBe(503)
  expect(await acls(['check'])).toMatchObject({
    code: 2,
    out: `missing: User:tidemark-ingest: Write on topic ${topic}\n`,
  })

  const before = await endOf(named.usageEventsTopic)
  expect(await acls(['apply'])).toMatchObject({ code: 0 })
  // What the relay held back comes by itself.
  await vi.waitFor(async () => expect(await endOf(named.usageEventsTopic)).toBe(before + 1), soon)
  expect(await postEvents(ingest.url, sampleEvent(), { key })).toMatchObject({ status: 202 })
})

test('a relay that may not use its group any more keeps HTTP open, and goes on once it may', async () => {
  await takeFromIngest(({ resource }) => resource === 'group')
  await vi.waitFor(
    async () => expect(await readFile(ingest.logFile, 'utf8')).toMatch(/"level":"error".*joins again/),
    soon,
  )
  expect(await postEvents(ingest.url, sampleEvent(), { key })).toMatchObject({ status: 202 })
  await room.send(products, inbound, [sampleEvent()])
  const before = await endOf(named.usageEventsTopic)
  expect(await acls(['apply'])).toMatchObject({ code: 0 })
  await vi.waitFor(async () => expect(await endOf(named.usageEventsTopic)).toBe(before + 1), soon)
  expect(ingest.process.exitCode).toBeNull()
})

test('nobody writes or reads a topic that is not its own', async () => {
  const readers: Record<string, string[]> = {
    aggregator: [named.usageEventsTopic],
    ingest: [inbound, named.inboundTopic('another')],
    operator: [named.usageRejectedTopic, named.usageEventsTopic],
    reconciler: [named.legacyTopic, named.billingEventsTopic],
  }
  const writers: Record<string, string[]> = {
    aggregator: [named.usageRejectedTopic],
    bridge: [named.legacyTopic],
    ingest: [named.usageEventsTopic, named.usageRejectedTopic],
    invoicer: [named.billingEventsTopic],
    operator: [named.usageEventsTopic],
    [products]: [inbound],
    reconciler: [named.findingsTopic],
  }
  const { prefix } = room.installation
  await provisionTopics(room.admin, [{ ...anyTopic, name: prefix + named.inboundTopic('another') }])
  const all = [...named.topics.map(({ name }) => name), inbound, named.inboundTopic('another')]
  for (const role of [...roles.map(({ name }) => name), products]) {
    const kafka = openKafkaAs(room.variablesOf(role))
    const write = (topic: string): Promise<unknown> =>
      writers[role]?.includes(topic)
        ? Promise.resolve()
        : expect(room.send(role, topic, ['x'])).rejects.toMatchObject(refused)
    const read = (topic: string): Promise<unknown> => {
      const reading = readRecordAt(kafka, prefix + topic, 0, 0n)
      return readers[role]?.includes(topic) ? reading : expect(reading).rejects.toMatchObject(refused)
    }
    await Promise.all(all.flatMap((topic) => [write(topic), read(topic)]))
    await kafka.disconnect()
  }
})

test('nobody joins another’s group, makes a topic of another kind or deletes one', async () => {
  const { prefix } = room.installation
  const as = (role: string): KafkaClient => openKafkaAs(room.variablesOf(role))
  const aggregator = as('aggregator')
  const onFatal = vi.fn()
  const consumer = createConsumer(aggregator, {
    groupId: `${prefix}ingest-relay`,
    topics: [prefix + named.usageEventsTopic],
    handleBatch: async () => {},
    onFatal,
  })
  await consumer.start()
  // kafkajs keeps of the broker's refusal only that it found no coordinator.
  const { message } = refused
  await vi.waitFor(() => expect(onFatal).toHaveBeenCalledWith(expect.objectContaining({ message })), soon)
  await consumer.stop()

  const operator = as('operator')
  const spec = { ...anyTopic, name: `${prefix}usage.events.2` }
  await expect(provisionTopics(operator, [spec])).rejects.toMatchObject(refused)
  await expect(deleteTopics(operator, [prefix + inbound])).rejects.toMatchObject(refused)
  await Promise.all([aggregator.disconnect(), operator.disconnect()])
})

test('what a principal has beyond the list is named, and taken away only when asked', async () => {
  const principal = 'User:tidemark-invoicer'
  const grant = { resource: 'topic', name: named.usageEventsTopic, operations: ['Write'] } as const
  await createAcls(room.admin, aclsOf(room.installation.prefix, principal, [grant]))
  const check = await acls(['check'])
  expect(check.code).toBe(2)
  expect(check.out).toMatch(/^too much: User:tidemark-invoicer: ALLOW WRITE on TOPIC .*usage\.events\.1/)
  expect((await acls(['apply'])).out).toContain('too much (--remove takes it away)')
  expect((await acls(['apply', '--remove'])).out).toContain('removed: User:tidemark-invoicer')
  expect(await acls(['check'])).toMatchObject({ code: 0 })
})

async function takeFromIngest(isMeant: (acl: Acl) => boolean): Promise<void> {
  const granted = await describeAcls(room.admin, 'User:tidemark-ingest')
  const taken = granted.filter(({ known }) => known !== undefined && isMeant(known))
  expect(taken).toHaveLength(1)
  for (const acl of taken) await acl.remove()
}

async function verdicts(): Promise<string[]> {
  const { database, env } = room.installation
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
  })
  const counts = 'SELECT verdict, count() AS n FROM usage_ledger FINAL GROUP BY verdict ORDER BY verdict'
  const rows = await clickHouse.query<{ verdict: string; n: string }>(counts)
  await clickHouse.close()
  return rows.map(({ verdict, n }) => `${verdict} ${n}`)
}
