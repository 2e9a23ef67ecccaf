import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { expectedContents, laterReading, openClients, readContents, writeContents } from './stack-contents.ts'
import {
  countAlive,
  findJava,
  freshStack,
  recordedProcesses,
  stackCommand,
  stackOwner,
  type Variables,
} from './stack-processes.ts'

const soon = { timeout: 30_000, interval: 50 }
const made: { dir: string; variables: Variables }[] = []

async function newStack(): Promise<{ dir: string; variables: Variables }> {
  const stack = await freshStack()
  made.push(stack)
  return stack
}

afterEach(async () => {
  for (const { dir, variables } of made.splice(0)) {
    await stackCommand(['down'], variables)
    await rm(dir, { recursive: true, force: true })
  }
})

const addressesIn = (text: string): Variables =>
  Object.fromEntries([...text.matchAll(/^ {2}([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]))

describe('a stack of the command line', () => {
  test('keeps its data and ids over kill -9 of everything; a second start attaches', async () => {
    const { dir, variables } = await newStack()
    const up = await stackCommand(['up'], variables)
    expect(up).toMatchObject({ code: 0, err: '' })
    const addresses = addressesIn(up.out)
    const clients = openClients(addresses)
    const schemaId = await writeContents(clients)
    const first = await recordedProcesses(dir)
    expect(await countAlive(first)).toBe(7)

    const again = await stackCommand(['up'], variables)
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('The stack runs already') })
    expect(await recordedProcesses(dir)).toEqual(first)
    expect((await stackCommand(['status'], variables)).out).toMatch(/^Kafka +healthy/m)

    for (const { pid } of first.values()) process.kill(pid, 'SIGKILL')
    await vi.waitUntil(async () => (await countAlive(first)) === 0, soon)
    await clients.close()
    expect((await stackCommand(['up'], variables)).code).toBe(0)
    const reopened = openClients(addresses)
    expect(await readContents(reopened)).toEqual(expectedContents)
    expect(await reopened.registry.registerSchema('kept-value', laterReading)).not.toBe(schemaId)
    await reopened.close()

    const second = await recordedProcesses(dir)
    expect((await stackCommand(['down'], variables)).code).toBe(0)
    expect(await countAlive(second)).toBe(0)
    expect((await stackCommand(['status'], variables)).err).toContain('stack:up')
  }, 300_000)

  test('names the port that is taken, its server, the variable and the process', async () => {
    const { dir, variables } = await newStack()
    const squatter = createServer()
    await new Promise<void>((resolve) =>
      squatter.listen(Number(variables.TIDEMARK_KAFKA_PORT), '127.0.0.1', resolve),
    )
    const { code, err } = await stackCommand(['up'], variables)
    squatter.close()
    expect(code).toBe(1)
    expect(err).toMatch(
      `Port ${variables.TIDEMARK_KAFKA_PORT} for Kafka is taken by process ${process.pid} (`,
    )
    expect(err).toContain('set TIDEMARK_KAFKA_PORT')
    expect(await readdir(dir)).not.toContain('kafka')
  })

  test('without Java it ends with one line that names the command to install it', async () => {
    const { dir, variables } = await newStack()
    const { code, err } = await stackCommand(['up'], { ...variables, PATH: '/nowhere', JAVA_HOME: undefined })
    expect(code).toBe(1)
    expect(err.trimEnd()).toMatch(/^Java 17 .*apt-get install -y openjdk-17-jre-headless$/)
    expect(await readdir(dir)).toEqual([])
  })

  test('without Maven likewise, and nothing is half-installed', async () => {
    const { variables } = await newStack()
    const bin = await mkdtemp(join(tmpdir(), 'tidemark-bin-'))
    await symlink(findJava(), join(bin, 'java'))
    const programs = join(bin, 'servers')
    const { code, err } = await stackCommand(['up'], {
      ...variables,
      PATH: bin,
      TIDEMARK_SERVERS_DIR: programs,
    })
    expect(code).toBe(1)
    expect(err.trimEnd()).toMatch(/^Maven .*apt-get install -y maven$/)
    await expect(readdir(programs)).rejects.toMatchObject({ code: 'ENOENT' })
    await rm(bin, { recursive: true })
  })
})

describe('a stack that belongs to a process', () => {
  test('ends with it, also by kill -9', async () => {
    const { dir, variables } = await newStack()
    const owner = await stackOwner(dir, variables)
    const processes = await recordedProcesses(dir)
    expect(await countAlive(processes)).toBe(4)
    owner.kill('SIGKILL')
    await vi.waitUntil(async () => (await countAlive(processes)) === 0, soon)
  })

  test('leaves nothing that the next start would meet when its supervisor is killed', async () => {
    const { dir, variables } = await newStack()
    const owner = await stackOwner(dir, variables)
    const before = await recordedProcesses(dir)
    process.kill(before.get('supervisor')?.pid ?? Number.NaN, 'SIGKILL')
    owner.kill('SIGKILL')
    const next = await stackOwner(dir, variables)
    expect(await countAlive(before)).toBe(0)
    next.kill('SIGKILL')
  })
})
