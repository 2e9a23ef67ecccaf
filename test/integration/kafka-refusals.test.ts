import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ping } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { asFailure, type Failure } from '@tidemark/infra/process/failure.ts'
import { kafkaSettings } from '@tidemark/infra/process/settings.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { createInstallation } from '../installation.ts'
import { type KafkaVariables, openKafkaAs, type SecureBroker, startSecureBroker } from '../secure-broker.ts'
import { spawnService } from '../service-processes.ts'

/** Whoever sets the connection wrongly is told what is wrong and which variable mends it, in one line. */
let folder: string
let broker: SecureBroker

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-refusals-'))
  broker = await startSecureBroker(join(folder, 'broker'), ['somebody'])
})
afterAll(async () => {
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => asFailure(error),
  )
  if (failure === undefined) throw new Error('nothing was refused')
  return failure
}

/** What a question and a send fail with: they go through different clients. */
async function failuresOf(variables: KafkaVariables): Promise<Failure[]> {
  const kafka = openKafkaAs(variables)
  const producer = createProducer(kafka, { sendTimeoutMs: 3_000 })
  try {
    return await Promise.all([failureOf(ping(kafka, 20_000)), failureOf(producer.connect())])
  } finally {
    await producer.disconnect()
    await kafka.disconnect()
  }
}

/** The producer's client keeps nothing of the alert but that the connection was closed. */
const certificateWanted =
  /set KAFKA_TLS_CERTIFICATE and KAFKA_TLS_KEY to a pair|or a certificate \(KAFKA_TLS_CERTIFICATE\)/

const mistakes: { name: string; variables(): KafkaVariables; says: RegExp; code: string }[] = [
  {
    name: 'a wrong password',
    variables: () => ({ ...broker.scram('somebody'), KAFKA_SASL_PASSWORD: 'hush-hush' }),
    says: /check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD/,
    code: 'kafka_refused',
  },
  {
    name: 'a user that does not exist',
    variables: () => broker.scram('nobody'),
    says: /check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD/,
    code: 'kafka_refused',
  },
  {
    name: 'a CA that did not sign the brokers’ certificate',
    variables: () => ({ ...broker.scram('somebody'), KAFKA_TLS_CA: broker.stranger.certificate }),
    says: /set KAFKA_TLS_CA to that CA’s certificate/,
    code: 'kafka_unavailable',
  },
  {
    name: 'no CA where the brokers’ is not one that everybody knows',
    variables: () => ({ ...broker.scram('somebody'), KAFKA_TLS_CA: '' }),
    says: /set KAFKA_TLS_CA to that CA’s certificate/,
    code: 'kafka_unavailable',
  },
  {
    name: 'another name than the certificate’s',
    variables: () => ({ ...broker.scram('somebody'), KAFKA_TLS_SERVER_NAME: 'kafka.elsewhere' }),
    says: /kafka\.elsewhere.* or set KAFKA_TLS_SERVER_NAME/,
    code: 'kafka_unavailable',
  },
  {
    name: 'a listener with TLS spoken to in plain text',
    variables: () => ({ KAFKA_BROKERS: broker.scram('somebody').KAFKA_BROKERS ?? '' }),
    says: /expects another protocol than KAFKA_SECURITY_PROTOCOL says/,
    code: 'kafka_unavailable',
  },
  {
    name: 'a plain listener spoken to with TLS',
    variables: () => ({
      ...broker.scram('somebody'),
      KAFKA_BROKERS: inject('stackEnvironment').KAFKA_BROKERS ?? '',
    }),
    says: /expects another protocol than KAFKA_SECURITY_PROTOCOL says/,
    code: 'kafka_unavailable',
  },
  {
    name: 'a listener that asks for a certificate and gets none',
    variables: () => {
      const { KAFKA_TLS_CERTIFICATE: _certificate, KAFKA_TLS_KEY: _key, ...rest } = broker.mutualTls('none')
      return rest
    },
    says: certificateWanted,
    code: 'kafka_unavailable',
  },
  {
    name: 'a certificate of an authority that the brokers do not know',
    variables: () => {
      const { certificate, key } = broker.stranger.issue('unknown-client')
      return { ...broker.mutualTls('known'), KAFKA_TLS_CERTIFICATE: certificate, KAFKA_TLS_KEY: key }
    },
    says: certificateWanted,
    code: 'kafka_unavailable',
  },
  {
    name: 'a password where the listener takes none',
    variables: () => ({
      ...broker.scram('somebody'),
      KAFKA_BROKERS: inject('stackEnvironment').KAFKA_BROKERS ?? '',
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_TLS_CA: '',
    }),
    says: /this listener takes no user and password/,
    code: 'kafka_refused',
  },
]

test.each(mistakes)('$name is told in one line that says how to mend it', async (mistake) => {
  for (const failure of await failuresOf(mistake.variables())) {
    expect(failure.message).toMatch(mistake.says)
    expect(failure.message).not.toContain('\n')
    expect(failure.message).not.toContain('hush-hush')
    expect(failure).toMatchObject({ code: mistake.code, retryable: mistake.code === 'kafka_unavailable' })
  }
})

test('a service that is refused ends at its start, with that line in its log and exit code 1', async () => {
  const installation = await createInstallation('refused')
  const env = { ...installation.env, ...broker.scram('nobody') }
  const { stripe: port } = await freePorts()
  const service = spawnService({ name: 'aggregator', port, env, logDirectory: folder })
  await vi.waitUntil(() => service.process.exitCode !== null, { timeout: 60_000, interval: 50 })
  expect(service.process.exitCode).toBe(1)
  const told = await readFile(service.logFile, 'utf8')
  expect(told).toMatch(/could not start: .*Kafka failed .*check KAFKA_SASL_USERNAME/)
  expect(told).not.toContain('nobody-secret')
  await installation.remove()
})

test('TLS with a password, by either mechanism or a name of its own, and mutual TLS connect', async () => {
  const { certificate, key } = broker.authority.issue('rightful')
  await writeFile(join(folder, 'password'), 'somebody-secret\n')
  const { KAFKA_SASL_PASSWORD: _password, ...user } = broker.scram('somebody')
  for (const variables of [
    broker.scram('somebody'),
    broker.scram('somebody', 'SCRAM-SHA-256'),
    { ...user, KAFKA_SASL_PASSWORD_FILE: join(folder, 'password') },
    { ...broker.scram('somebody'), KAFKA_TLS_SERVER_NAME: 'kafka.test' },
    broker.mutualTls('somebody'),
    { ...broker.mutualTls('somebody'), KAFKA_TLS_CERTIFICATE: certificate, KAFKA_TLS_KEY: key },
  ]) {
    const kafka = openKafkaAs(variables)
    const producer = createProducer(kafka)
    expect(await ping(kafka)).toEqual({ brokers: 1 })
    await producer.connect()
    await producer.disconnect()
    await kafka.disconnect()
  }
})

function faultsOf(variables: KafkaVariables): string {
  try {
    readConfig(Type.Object(kafkaSettings), variables)
  } catch (error) {
    return asFailure(error).message
  }
  throw new Error('the settings are accepted')
}

test('files that cannot be used are named before anything connects, all of them at once', async () => {
  const other = broker.authority.issue('other')
  const variables = broker.mutualTls('mine')
  expect(faultsOf({ ...variables, KAFKA_TLS_KEY: other.key })).toMatch(
    /KAFKA_TLS_KEY is not the key of the first certificate in KAFKA_TLS_CERTIFICATE \(CN=mine\)/,
  )
  const faults = faultsOf({ ...variables, KAFKA_TLS_CA: other.key, KAFKA_TLS_KEY: join(folder, 'none.pem') })
  expect(faults).toMatch(/KAFKA_TLS_CA holds no certificate in PEM form/)
  expect(faults).toMatch(/KAFKA_TLS_KEY names \/.*none\.pem, which cannot be read \(ENOENT\)/)
  await writeFile(join(folder, 'empty'), '\n')
  const { KAFKA_SASL_PASSWORD: _password, ...user } = broker.scram('somebody')
  expect(faultsOf({ ...user, KAFKA_SASL_PASSWORD_FILE: join(folder, 'empty') })).toMatch(
    /KAFKA_SASL_PASSWORD_FILE names \/.*empty, which is empty/,
  )
})
