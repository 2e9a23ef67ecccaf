import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { describeConfig, readConfig } from '../process/config.ts'
import { asFailure } from '../process/failure.ts'
import { kafkaSettings } from '../process/settings.ts'
import { kafkaAccess } from './security.ts'

const schema = Type.Object(kafkaSettings)

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(schema, env)
  } catch (error) {
    return asFailure(error).message.split('\n  ').slice(1)
  }
  return []
}

const user = { KAFKA_SASL_USERNAME: 'ingest', KAFKA_SASL_PASSWORD: 'hush-hush' }

test('nothing set means plain text, as on the local stack', () => {
  expect(kafkaAccess(readConfig(schema, {}))).toEqual({
    brokers: ['127.0.0.1:24092'],
    security: { warnings: [] },
  })
})

test('TLS with the CAs that Node knows and a password needs three variables', () => {
  const env = { KAFKA_BROKERS: 'a:1,b:2', KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user }
  expect(kafkaAccess(readConfig(schema, env))).toEqual({
    brokers: ['a:1', 'b:2'],
    security: {
      tls: {},
      sasl: { mechanism: 'scram-sha-512', username: 'ingest', password: 'hush-hush' },
      warnings: [],
    },
  })
})

test('a password over a connection that anybody can read is warned of', () => {
  const { security } = kafkaAccess(readConfig(schema, { KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', ...user }))
  expect(security.warnings).toEqual([expect.stringContaining('use SASL_SSL')])
})

test('settings that the protocol does not use are refused: they would look like safety', () => {
  expect(faultsOf({ ...user, KAFKA_TLS_CA: '/etc/ca.pem' })).toEqual([
    'KAFKA_TLS_CA: set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which does not use it. Set it to SSL or SASL_SSL, or unset this.',
    'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD: set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which does not use them. ' +
      'Set it to SASL_SSL, or unset these.',
  ])
})

test('all that is missing or cannot be read is named at once, beside the faults of other variables', () => {
  const env = { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_BROKERS: 'nowhere' }
  expect(
    faultsOf({ ...env, KAFKA_TLS_CA: '/does/not/exist.pem', KAFKA_TLS_CERTIFICATE: '/cert.pem' }),
  ).toEqual([
    expect.stringMatching(/^KAFKA_BROKERS is "nowhere"/),
    expect.stringMatching(/^KAFKA_TLS_CA names \/does\/not\/exist\.pem, which cannot be read \(ENOENT\)/),
    expect.stringMatching(/^KAFKA_TLS_CERTIFICATE is set without KAFKA_TLS_KEY/),
    expect.stringMatching(/^KAFKA_SASL_USERNAME is not set/),
    expect.stringMatching(/^KAFKA_SASL_PASSWORD is not set; .* KAFKA_SASL_PASSWORD_FILE/),
  ])
  expect(faultsOf({ KAFKA_SECURITY_PROTOCOL: 'TLS', KAFKA_TLS_CA: '/ca.pem' })).toEqual([
    expect.stringMatching(/^KAFKA_SECURITY_PROTOCOL is "TLS"; expected one of PLAINTEXT, SSL/),
  ])
  const twice = { ...user, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_PASSWORD_FILE: '/password' }
  expect(faultsOf(twice)).toEqual([expect.stringContaining('are both set; unset one of them')])
})

test('keys and passwords are shown neither in faults nor in the description of the configuration', () => {
  const pem = ' -----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----'
  const env = { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_TLS_CERTIFICATE: pem.trim(), KAFKA_TLS_KEY: pem }
  const faults = faultsOf(env)
  expect(faults).toHaveLength(2)
  expect(faults.join()).not.toContain('hush-hush')
  const config = readConfig(schema, { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user })
  expect(JSON.stringify(describeConfig(schema, config))).not.toContain('hush-hush')
})
