import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'

const run = promisify(execFile)
let installation: Installation

beforeAll(async () => {
  installation = await createInstallation('keys')
})
afterAll(() => installation?.remove())

const keys = (...args: string[]) =>
  run(
    process.execPath,
    [new URL(import.meta.resolve('@tidemark/ingest/keys-command.ts')).pathname, ...args],
    {
      env: { ...process.env, ...installation.env },
    },
  )

test('a key is made with its tenant, shown once, and refused after it was revoked', async () => {
  const made = await keys(
    'create',
    '--tenant',
    'acme',
    '--name',
    'Acme',
    '--scopes',
    'ingest,read',
    '--mode',
    'test',
  )
  const key = made.stdout.trim()
  const pool = installation.openPool('tidemark_invoicer')
  const authenticate = () => createAuthenticator(pool, Date.now).authenticate(`Bearer ${key}`, 'read')
  const { keyId, ...principal } = await authenticate()
  expect(principal).toEqual({ tenant: 'acme', tenantNumber: 1, scopes: ['ingest', 'read'] })

  const listed = (await keys('list')).stdout
  expect(listed).toContain(keyId)
  expect(listed).not.toContain(key)
  expect(listed).not.toContain(key.slice(-20))

  await keys('revoke', keyId)
  await expect(authenticate()).rejects.toMatchObject({ status: 401 })
  await expect(keys('revoke', keyId)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(keyId),
  })
})

test('a key is rotated and limited by the command', async () => {
  const key = (await keys('create', '--tenant', 'globex', '--scopes', 'ingest')).stdout.trim()
  const id = key.slice(8, 24)
  await keys('limit', '--tenant', 'globex', '--events', '1000')
  const limited = await keys('limit', '--key', id, '--events', '10', '--bytes', '5000')
  expect(limited.stdout).toMatch(/globex.*10 .*5000/)
  const rotated = await keys('rotate', id, '--overlap', '0')
  const next = rotated.stdout.trim()
  expect(rotated.stderr).toContain(id)
  const pool = installation.openPool('tidemark_ingest')
  const authenticate = (text: string) =>
    createAuthenticator(pool, Date.now).authenticate(`Bearer ${text}`, 'ingest')
  await expect(authenticate(key)).rejects.toMatchObject({ status: 401 })
  expect(await authenticate(next)).toMatchObject({ tenant: 'globex', scopes: ['ingest'] })
  const shown = (await keys('limits')).stdout
  expect(shown).toMatch(/all together.*1000.*no limit/)
  expect(shown).toMatch(new RegExp(`${next.slice(8, 24)}.*10 .*5000`))
  await expect(keys('rotate', id)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(id) })
  await expect(keys('limit', '--tenant', 'nobody', '--events', '1')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nobody'),
  })
})

test('only a hash of the key is stored', async () => {
  const key = (await keys('create', '--tenant', 'acme')).stdout.trim()
  const { rows } = await installation
    .openPool('tidemark_ingest')
    .query<Record<string, unknown>>('SELECT t::text FROM access.api_keys AS t')
  expect(JSON.stringify(rows)).not.toContain(key.slice(24, 60))
  expect(rows.length).toBeGreaterThan(0)
})

test('a mistake is told, with how it is done right', async () => {
  await expect(keys('create', '--tenant', 'Not A Tenant')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('a-z, 0-9'),
  })
  await expect(keys('make')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('create --tenant'),
  })
})
