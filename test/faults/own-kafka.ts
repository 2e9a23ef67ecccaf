import { join } from 'node:path'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { killAndWait, readRecord } from '@tidemark/infra/stack/process-record.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'

export type OwnKafka = {
  brokers: string
  start(): Promise<void>
  /** A clean end, as an operator's. */
  stop(): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
}

/** A broker that belongs to one fault: what happens to it must not happen to anyone else. */
export async function openOwnKafka(directory: string): Promise<OwnKafka> {
  const dir = join(directory, 'kafka')
  const ports = await freePorts()
  const { KAFKA_BROKERS: _shared, ...env } = process.env
  let stack: Stack | undefined

  const start = async (): Promise<void> => {
    stack = await startStack({ dir, ports, servers: ['kafka'], env })
  }
  const stop = async (): Promise<void> => {
    await stack?.stop()
    stack = undefined
  }
  const broker = async () => {
    const record = await readRecord(recordFile(dir, 'kafka'))
    if (record === undefined) throw new Error(`no broker runs in ${dir}`)
    return record
  }
  await start()
  return {
    brokers: stack?.environment.KAFKA_BROKERS ?? '',
    start,
    stop,
    async kill() {
      await killAndWait(await broker())
    },
    async pause() {
      process.kill((await broker()).pid, 'SIGSTOP')
    },
    async resume() {
      process.kill((await broker()).pid, 'SIGCONT')
    },
  }
}
