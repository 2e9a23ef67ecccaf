import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { describeConfig, readConfig } from './config.ts'
import { Failure } from './failure.ts'
import {
  clickHouseSettings,
  kafkaSettings,
  logSettings,
  portSetting,
  postgresSettings,
  prefixSettings,
} from './settings.ts'

const schema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...kafkaSettings,
  ...clickHouseSettings,
  ...postgresSettings,
  TRIAL_PORT: portSetting(4100),
  TRIAL_KEY: Type.String({ minLength: 20, description: 'A key without a default.', secret: true }),
})
const key = 'k'.repeat(20)

function faultOf(env: Record<string, string>): Failure {
  try {
    readConfig(schema, env)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('The configuration is accepted')
}

test('defaults fill what is not set, text becomes the type, the rest of the environment is left out', () => {
  const config = readConfig(schema, { TRIAL_KEY: key, TRIAL_PORT: '8080', LOG_PRETTY: 'true', HOME: '/root' })
  expect(config).toMatchObject({ TRIAL_PORT: 8080, LOG_PRETTY: true, LOG_LEVEL: 'info', TIDEMARK_PREFIX: '' })
  expect(config).not.toHaveProperty('HOME')
})

test('all faults come at once, each with the variable, its value, what is expected and what it is for', () => {
  const fault = faultOf({
    TRIAL_PORT: '99999',
    LOG_LEVEL: 'loud',
    CLICKHOUSE_URL: 'nowhere',
    TIDEMARK_PREFIX: 'A_b',
  })
  expect(fault.code).toBe('invalid_config')
  expect(fault.message.split('\n')).toHaveLength(6)
  expect(fault.message).toContain(
    'TRIAL_PORT is "99999"; expected a whole number from 0 to 65535. Port to listen on',
  )
  expect(fault.message).toContain('LOG_LEVEL is "loud"; expected one of trace, debug')
  expect(fault.message).toContain('CLICKHOUSE_URL is "nowhere"; expected a URL.')
  expect(fault.message).toContain('TIDEMARK_PREFIX is "A_b"; expected text like t1-.')
  expect(fault.message).toContain(
    'TRIAL_KEY is not set; expected text of at least 20 characters. A key without a default.',
  )
})

test('a secret is shown neither in a fault nor in the description', () => {
  expect(faultOf({ TRIAL_KEY: 'hush-hush' }).message).not.toContain('hush-hush')
  const described = describeConfig(schema, readConfig(schema, { TRIAL_KEY: key }))
  expect(described.TRIAL_KEY).toBe('[redacted]')
  expect(described.POSTGRES_URL).toBe('postgres://postgres:[redacted]@127.0.0.1:24432/postgres')
  expect(JSON.stringify(described)).not.toContain(key)
})
