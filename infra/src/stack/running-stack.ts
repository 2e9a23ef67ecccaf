import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { recordFile } from './places.ts'
import { isAlive, type ProcessRecord, readJson, readRecord, reapRecords } from './process-record.ts'
import { isServerName, type ServerName, type StackSettings } from './server.ts'
import { serverOf } from './servers.ts'

const port = Type.Integer({ minimum: 1, maximum: 65_535 })

const recordSchema = Type.Object({
  pid: Type.Integer(),
  startTime: Type.String(),
  ready: Type.Boolean(),
  settings: Type.Object({
    folder: Type.String(),
    temporary: Type.Boolean(),
    programs: Type.String(),
    servers: Type.Array(Type.String()),
    stripeWebhookUrls: Type.Array(Type.String()),
    ports: Type.Object({
      kafka: port,
      kafkaController: port,
      registry: port,
      clickhouseHttp: port,
      clickhouseTcp: port,
      postgres: port,
      redis: port,
      stripe: port,
    }),
    credentials: Type.Object({
      clickhouseUser: Type.String(),
      clickhousePassword: Type.String(),
      postgresPassword: Type.String(),
      stripeSecretKey: Type.String(),
      stripeWebhookSecret: Type.String(),
    }),
  }),
})

export type RunningStack = { supervisor: ProcessRecord; ready: boolean; settings: StackSettings }

/** The stack whose supervisor lives and keeps its data in this folder, if there is one. */
export async function findRunningStack(dir: string): Promise<RunningStack | undefined> {
  const parsed = await readJson(recordFile(resolve(dir), 'supervisor'))
  if (!Value.Check(recordSchema, parsed)) return undefined
  const { pid, startTime, ready, settings } = parsed
  const supervisor = { pid, startTime }
  if (!(await isAlive(supervisor))) return undefined
  return { supervisor, ready, settings: { ...settings, servers: settings.servers.filter(isServerName) } }
}

export type ServerState = {
  name: ServerName
  healthy: boolean
  answer: string
  process: ProcessRecord | undefined
}

/** Asks every server of a running stack whether it serves. */
export function serverStates({ settings }: RunningStack): Promise<ServerState[]> {
  return Promise.all(
    settings.servers.map(async (name) => {
      const record = await readRecord(recordFile(settings.folder, name))
      const process = record !== undefined && (await isAlive(record)) ? record : undefined
      if (process === undefined) return { name, healthy: false, answer: 'ended', process }
      const fault: unknown = await serverOf(name, settings)
        .probe()
        .then(
          () => undefined,
          (error: unknown) => error ?? 'no answer',
        )
      return {
        name,
        healthy: fault === undefined,
        answer: fault === undefined ? 'healthy' : String(fault),
        process,
      }
    }),
  )
}

/** Ends the stack of this folder, whoever started it, and what a killed supervisor left of it. Keeps the data. */
export async function stopRunningStack(dir: string): Promise<boolean> {
  const stack = await findRunningStack(dir)
  if (stack !== undefined) {
    process.kill(stack.supervisor.pid, 'SIGTERM')
    while (await isAlive(stack.supervisor)) await delay(50)
  }
  await reapRecords(join(resolve(dir), 'run'))
  return stack !== undefined
}
