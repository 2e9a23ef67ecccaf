import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createKafka, ping } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { kafkaSettings } from '@tidemark/infra/process/settings.ts'
import { localCredentials } from '@tidemark/infra/stack/environment.ts'
import { javaCommand } from '@tidemark/infra/stack/java.ts'
import { programsFolder } from '@tidemark/infra/stack/places.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { installPrograms } from '@tidemark/infra/stack/programs.ts'
import { kafkaJars } from '@tidemark/infra/stack/programs-pom.ts'
import type { StackSettings } from '@tidemark/infra/stack/server.ts'
import { startServer } from '@tidemark/infra/stack/server-process.ts'
import { Type } from 'typebox'
import { type Authority, createAuthority, pemStore } from './certificates.ts'

const run = promisify(execFile)

export type KafkaVariables = Record<string, string>

export type SecureBroker = {
  authority: Authority
  /** Of an authority that the broker does not know. */
  stranger: Authority
  /** The variables of whoever connects by TLS and SCRAM; users are those given at the start. */
  scram(user: string, mechanism?: string): KafkaVariables
  /** By mutual TLS, with a certificate made for the name. */
  mutualTls(commonName: string): KafkaVariables
  stop(): Promise<void>
}

/** Lives for seconds only: the better code would never be paid back. */
const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

const passwordOf = (user: string): string => `${user}-secret`

/**
 * A broker as companies run them: no plain listener, users by SCRAM over TLS or by certificate, and an authorizer that
 * refuses what no ACL allows. `User:admin` alone may do everything. Both ways to connect give the principal `User:<name>`.
 */
export async function startSecureBroker(folder: string, users: readonly string[]): Promise<SecureBroker> {
  await mkdir(folder, { recursive: true })
  const authority = createAuthority(folder, 'test-authority')
  const stranger = createAuthority(folder, 'stranger')
  const { env } = process
  const settings: StackSettings = {
    folder,
    temporary: true,
    programs: await installPrograms(programsFolder(env), env, () => {}),
    ports: await freePorts(),
    servers: ['kafka'],
    credentials: localCredentials(env),
    stripeWebhookUrls: [],
  }
  const tls = { KAFKA_TLS_CA: authority.certificate }
  const scram = (user: string, mechanism = 'SCRAM-SHA-512'): KafkaVariables => ({
    KAFKA_BROKERS: `127.0.0.1:${settings.ports.kafka}`,
    KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    ...tls,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: passwordOf(user),
  })
  const classPath = join(settings.programs, kafkaJars, '*')
  const properties = join(folder, 'server.properties')
  const server = await startServer(
    {
      name: 'kafka',
      // Nothing of it is kept.
      stopSignal: 'SIGKILL',
      async prepare() {
        const store = pemStore(
          folder,
          'broker',
          authority.issue('broker', ['DNS:kafka.test', 'IP:127.0.0.1']),
        )
        await writeFile(properties, serverProperties(settings, store, authority.certificate))
        const credentials = ['admin', ...users].flatMap((user) =>
          ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
            '--add-scram',
            `${mechanism}=[name=${user},password="${passwordOf(user)}"]`,
          ]),
        )
        const format = ['format', '-t', 'TidemarkSecureBroker00', '-c', properties, ...credentials]
        await run(javaCommand(env), [...quickStart, '-cp', classPath, 'kafka.tools.StorageTool', ...format])
      },
      program: async () => ({
        command: javaCommand(env),
        args: [...quickStart, '-Xmx400m', '-cp', classPath, 'kafka.Kafka', properties],
      }),
      probe: () => probe(scram('admin')),
    },
    settings,
  )
  await server.ready()
  return {
    authority,
    stranger,
    scram,
    mutualTls(commonName) {
      const { certificate, key } = authority.issue(commonName)
      return {
        KAFKA_BROKERS: `127.0.0.1:${settings.ports.registry}`,
        KAFKA_SECURITY_PROTOCOL: 'SSL',
        ...tls,
        KAFKA_TLS_CERTIFICATE: certificate,
        KAFKA_TLS_KEY: key,
      }
    },
    stop: server.stop,
  }
}

/** A client as a service with these variables has it. */
export function openKafkaAs(variables: KafkaVariables) {
  const log = createLog({ service: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false })
  const config = readConfig(Type.Object(kafkaSettings), variables)
  return createKafka({ ...kafkaAccess(config), clientId: 'test', log })
}

async function probe(variables: KafkaVariables): Promise<void> {
  const kafka = openKafkaAs(variables)
  try {
    await ping(kafka)
  } finally {
    await kafka.disconnect()
  }
}

function serverProperties({ folder, ports }: StackSettings, store: string, authority: string): string {
  const scramLogin = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafkaController}
controller.listener.names=CONTROLLER
listeners=SCRAM://127.0.0.1:${ports.kafka},MTLS://127.0.0.1:${ports.registry},CONTROLLER://127.0.0.1:${ports.kafkaController}
advertised.listeners=SCRAM://127.0.0.1:${ports.kafka},MTLS://127.0.0.1:${ports.registry}
listener.security.protocol.map=CONTROLLER:SSL,SCRAM:SASL_SSL,MTLS:SSL
inter.broker.listener.name=MTLS
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.scram.scram-sha-256.sasl.jaas.config=${scramLogin}
listener.name.scram.scram-sha-512.sasl.jaas.config=${scramLogin}
ssl.keystore.type=PEM
ssl.keystore.location=${store}
ssl.truststore.type=PEM
ssl.truststore.location=${authority}
listener.name.mtls.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]*).*$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:admin
log.dirs=${join(folder, 'data')}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
`
}
