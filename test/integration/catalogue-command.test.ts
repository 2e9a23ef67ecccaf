import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { type CloseRoom, freePort, openCloseRoom } from './close-room.ts'

let room: CloseRoom
let aggregator: ServiceProcess
let tenant: TestTenant
const folder = mkdtempSync(join(tmpdir(), 'tidemark-catalogue-'))
const file = join(folder, 'catalogue.yaml')

beforeAll(async () => {
  room = await openCloseRoom('command')
  tenant = await room.installation.createTenant('acme')
  aggregator = await startService({
    name: 'aggregator',
    port: await freePort(),
    env: { ...room.installation.env, AGGREGATOR_STATE_DIRECTORY: join(folder, 'state') },
    logDirectory: folder,
  })
})
afterAll(async () => {
  await aggregator?.stop()
  await room?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function apply(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const command = fileURLToPath(new URL('../../services/invoicer/src/catalogue-command.ts', import.meta.url))
  const child = spawn(process.execPath, [command, 'apply', file, ...args], {
    env: {
      ...process.env,
      TIDEMARK_API_KEY: tenant.key,
      INVOICER_URL: room.url,
      AGGREGATOR_URL: aggregator.url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, lines: output.trim().split('\n') }
}

const sound = `meters:
  - key: calls
    eventType: api.request
    aggregation: count
plans:
  - id: starter
    name: Starter
    currency: EUR
    prices:
      - { id: base, model: flat, amount: "29.00" }
      - id: calls
        model: per-unit
        meter: calls
        unitPrice: "0.0175"
customers:
  - key: acme
    name: Acme
    email: billing@acme.example
    currency: EUR
    timeZone: Europe/Berlin
    subjects:
      - key: acme-eu
subscriptions:
  - key: acme-sub
    customer: acme
    plan: starter
    start: 2026-10-01T00:00:00+02:00
`

test('a fault anywhere is named by file, line, key and reason, and nothing is applied', async () => {
  writeFileSync(
    file,
    sound
      .replace('meter: calls', 'meter: cals')
      .replace('aggregation: count', 'aggregation: sum')
      .replace('plan: starter', 'plan: starters'),
  )
  const { code, lines } = await apply()
  expect(code).toBe(1)
  expect(lines).toEqual([
    `Checking ${file} …`,
    `${file}:2: meters[0].valuePath: aggregation sum needs valuePath: the field of data that is read, such as bytes`,
    `${file}:13: plans[0].prices[1].meter: there is no meter "cals"; create it or mend the name`,
    `${file}:26: subscriptions[0].plan: there is no plan "starters"; create it or mend the id`,
    expect.stringContaining('Nothing is applied'),
  ])
  const { rows } = await room.pool.query('SELECT 1 FROM metering.meter_versions')
  expect(rows).toEqual([])
  expect((await room.call(tenant, 'GET', '/v1/plans')).body.items).toEqual([])
})

test('a fault in the schema of an event is named by its place in the file', async () => {
  const eventSchema = `
    eventSchema:
      type: object
      properties:
        method:
          anyOf:
            - { const: GET }
            - { pattern: "(GET" }`
  writeFileSync(file, sound.replace('aggregation: count', `aggregation: count${eventSchema}`))
  const { code, lines } = await apply()
  expect(code).toBe(1)
  expect(lines[1]).toBe(
    `${file}:11: meters[0].eventSchema.properties.method.anyOf[1].pattern: has a ( without its )`,
  )
  expect(lines[2]).toContain('Nothing is applied')
})

test('a sound file is shown by a dry run, then applied, then changes nothing more', async () => {
  writeFileSync(file, sound)
  const dry = await apply('--dry-run')
  expect(dry.lines).toEqual([
    `Checking ${file} …`,
    '  plan starter: created (version 1)',
    '  customer acme: created',
    '  subscription acme-sub: created (version 1)',
    'Would be applied: 1 meter, 3 changes of the rest.',
  ])
  expect((await room.call(tenant, 'GET', '/v1/plans')).body.items).toEqual([])
  const applied = await apply()
  expect(applied).toMatchObject({ code: 0 })
  expect(applied.lines.at(-1)).toBe('Applied: 1 meter, 3 changes of the rest.')
  expect((await room.call(tenant, 'GET', '/v1/plans')).body.items).toMatchObject([
    { id: 'starter', version: 1 },
  ])
  expect((await apply()).lines.at(-1)).toBe('Applied: 1 meter, nothing else to change.')
})

test('a dry run prints what differs, down to the smallest part', async () => {
  writeFileSync(
    file,
    sound
      .replace('"0.0175"', '"0.02"')
      .replace('name: Acme\n', 'name: Acme Inc.\n    homeRegion: eu\n')
      .replace('acme-eu', 'acme-us'),
  )
  expect((await apply('--dry-run')).lines).toEqual([
    `Checking ${file} …`,
    '  plan starter: new version (version 2)',
    '    ~ prices[calls].unitPrice: "0.0175" -> "0.02"',
    '  customer acme: changed: name, homeRegion, subjects',
    '    ~ name: "Acme" -> "Acme Inc."',
    '    + homeRegion: "eu"',
    '    ~ subjects[0]: "acme-eu" -> "acme-us"',
    'Would be applied: 1 meter, 2 changes of the rest.',
  ])
})

test('a broken file and a missing one are told in one line', async () => {
  writeFileSync(file, 'plans:\n  - id: "open\n')
  expect(await apply()).toMatchObject({
    code: 1,
    lines: [expect.stringContaining(`${file}:3: `), expect.anything()],
  })
  rmSync(file)
  expect(await apply()).toMatchObject({ code: 1, lines: [expect.stringContaining('no such file')] })
})

test('the example in docs applies as it stands', async () => {
  copyFileSync(fileURLToPath(new URL('../../docs/examples/catalogue.yaml', import.meta.url)), file)
  const other = await room.installation.createTenant('example')
  const { code, lines } = await apply('--key', other.key)
  expect({ code, last: lines.at(-1) }).toEqual({ code: 0, last: 'Applied: 2 meters, 9 changes of the rest.' })
})
