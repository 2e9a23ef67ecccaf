import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { silenceNegativeTimeouts } from '../kafka/negative-timeouts.ts'
import { javaCommand } from './java.ts'
import { kafkaJars } from './programs-pom.ts'
import type { Server, StackSettings } from './server.ts'

const run = promisify(execFile)

/** Kafka 4 as broker and controller in one process. One replica of everything: local data only. */
export function kafkaServer(settings: StackSettings): Server {
  const folder = join(settings.folder, 'kafka')
  const data = join(folder, 'data')
  const properties = join(folder, 'server.properties')
  const classPath = join(settings.programs, kafkaJars, '*')
  return {
    name: 'kafka',
    stopSignal: 'SIGTERM',
    async prepare() {
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'log4j2.properties'), logging)
      if ((await stat(data).catch(() => undefined)) === undefined)
        await formatData(folder, data, classPath, settings)
      await writeFile(properties, serverProperties(settings, data))
    },
    async program() {
      return {
        command: javaCommand(process.env),
        args: [
          ...['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'],
          `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
          ...['-cp', classPath, 'kafka.Kafka', properties],
        ],
      }
    },
    probe: () => probeKafka(`127.0.0.1:${settings.ports.kafka}`),
  }
}

/** Formats under another name first: a format cut short by kill -9 must not pass for a finished one. */
async function formatData(
  folder: string,
  data: string,
  classPath: string,
  settings: StackSettings,
): Promise<void> {
  const draft = join(folder, 'data.draft')
  const properties = join(folder, 'format.properties')
  await rm(draft, { recursive: true, force: true })
  await writeFile(properties, serverProperties(settings, draft))
  // Sixteen random bytes in URL-safe base64, the first made a letter: Kafka's tools take a leading "-" for an option.
  const clusterId = `T${randomBytes(16).toString('base64url').slice(1)}`
  const args = ['-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool']
  await run(javaCommand(process.env), [...args, 'format', '-t', clusterId, '-c', properties])
  await rename(draft, data)
}

function serverProperties({ ports }: StackSettings, data: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafkaController}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafkaController}
advertised.listeners=PLAINTEXT://127.0.0.1:${ports.kafka}
log.dirs=${data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
`
}

const logging = `rootLogger.level=warn
rootLogger.appenderRef.stdout.ref=stdout
appender.stdout.type=Console
appender.stdout.name=stdout
appender.stdout.layout.type=PatternLayout
appender.stdout.layout.pattern=%d %p %c{1}: %m%n
`

/** Asks for the cluster and for a group coordinator: right after the first start the second comes a little later. */
export async function probeKafka(broker: string): Promise<void> {
  silenceNegativeTimeouts()
  const kafka = new Kafka({
    clientId: 'tidemark-stack',
    brokers: broker.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    retry: { retries: 0 },
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.describeCluster()
    await admin.fetchOffsets({ groupId: 'tidemark-stack-probe' })
  } finally {
    await admin.disconnect()
  }
}
