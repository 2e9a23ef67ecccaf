import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { envExample } from './env-example.ts'
import { hostSetting, kafkaSettings, portSetting, stripeSettings } from './settings.ts'

const shared = { title: 'All', schema: Type.Object({ ...kafkaSettings }) }

test('a shared variable comes once, under the first section, with its default and purpose', () => {
  const one = { title: 'One', schema: Type.Object({ ...kafkaSettings, ...stripeSettings }) }
  const text = envExample([
    shared,
    one,
    { title: 'None of its own', schema: Type.Object({ ...kafkaSettings }) },
  ])
  expect(text.match(/^KAFKA_BROKERS=/gm)).toHaveLength(1)
  expect(text.indexOf('KAFKA_BROKERS')).toBeLessThan(text.indexOf('# One'))
  expect(text).not.toContain('None of its own')
  expect(parseEnv(text)).toMatchObject({
    KAFKA_BROKERS: '127.0.0.1:24092',
    STRIPE_SECRET_KEY: 'sk_test_tidemark_local',
  })
})

test('one name with two meanings is refused', () => {
  const sections = [4100, 4200].map((port) => ({
    title: String(port),
    schema: Type.Object({ PORT: portSetting(port) }),
  }))
  expect(() => envExample(sections)).toThrow('PORT in "4200" differs from an earlier section')
})

test('a variable without a default is left to be filled in', () => {
  const text = envExample([
    { title: 'One', schema: Type.Object({ KEY: Type.String(), HOST: hostSetting() }) },
  ])
  expect(text).toContain('# KEY=\n')
})

test('.env.example is what the schemas say now', () => {
  const root = join(import.meta.dirname, '..', '..', '..')
  const check = spawnSync(process.execPath, ['scripts/env-example.ts', '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(check.stderr).toBe('')
  expect(check.status).toBe(0)
})
