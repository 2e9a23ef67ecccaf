import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { listTopics } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { topics } from '@tidemark/schemas/topics.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'

let installation: Installation
beforeAll(async () => {
  installation = await createInstallation('room')
})
afterAll(() => installation?.remove())

test('an installation has the topics of the table, and each tenant has its inbound topic and a key that works', async () => {
  const acme = await installation.createTenant('acme')
  const kafka = createKafka({
    brokers: (installation.env.KAFKA_BROKERS ?? '').split(','),
    clientId: 'test',
    log: createLog({ service: 'test', level: 'silent', pretty: false }),
  })
  const own = (await listTopics(kafka)).filter((topic) => topic.startsWith(installation.prefix))
  await kafka.disconnect()
  const expected = [...topics.map(({ name }) => name), 'usage.inbound.acme']
  expect(own.sort()).toEqual(expected.map((name) => installation.prefix + name).sort())
  const authenticator = createAuthenticator(installation.openPool('tidemark_invoicer'), Date.now)
  await expect(authenticator.authenticate(`Bearer ${acme.key}`, 'read')).resolves.toEqual({
    keyId: acme.keyId,
    tenant: 'acme',
    tenantNumber: acme.tenantNumber,
    scopes: ['ingest', 'read', 'admin'],
  })
})

test('two processes that provision at once, and again, change nothing', async () => {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const provision = () => provisionInstallation({ env: installation.env, log })
  await Promise.all([provision(), provision()])
  await provision()
})
