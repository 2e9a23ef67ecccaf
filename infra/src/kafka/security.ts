import { Failure } from '../process/failure.ts'
import { type ClientIdentity, readCa, readClientIdentity, readSecretFile } from './security-files.ts'

/** As the variables hold them; empty means not set. */
export type KafkaSecuritySettings = {
  KAFKA_SECURITY_PROTOCOL: string
  KAFKA_TLS_CA: string
  KAFKA_TLS_CERTIFICATE: string
  KAFKA_TLS_KEY: string
  KAFKA_TLS_SERVER_NAME: string
  KAFKA_SASL_MECHANISM: string
  KAFKA_SASL_USERNAME: string
  KAFKA_SASL_PASSWORD: string
  KAFKA_SASL_PASSWORD_FILE: string
}

export type KafkaSecurity = {
  /** None: not encrypted. */
  readonly tls?: { readonly ca?: string; readonly servername?: string } & Partial<ClientIdentity>
  readonly sasl?: ({ readonly mechanism: 'scram-sha-256' } | { readonly mechanism: 'scram-sha-512' }) & {
    readonly username: string
    readonly password: string
  }
  /** What works but should not be left so. */
  readonly warnings: readonly string[]
}

const tlsNames = ['KAFKA_TLS_CA', 'KAFKA_TLS_CERTIFICATE', 'KAFKA_TLS_KEY', 'KAFKA_TLS_SERVER_NAME'] as const
const saslNames = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'] as const

/**
 * Reads the files that the variables name. Every fault is a sentence with the variable, what is wrong and how to mend it,
 * never with a secret; with faults, `security` is not to be used.
 */
export function readKafkaSecurity(settings: KafkaSecuritySettings): {
  security: KafkaSecurity
  faults: readonly string[]
} {
  const faults: string[] = []
  const protocol = settings.KAFKA_SECURITY_PROTOCOL
  const usesTls = protocol === 'SSL' || protocol === 'SASL_SSL'
  const usesSasl = protocol === 'SASL_SSL' || protocol === 'SASL_PLAINTEXT'
  // Taken in silence, they would let somebody believe that a connection is safe.
  if (!usesTls) faults.push(...unusedFaults(settings, tlsNames, 'SSL or SASL_SSL'))
  if (!usesSasl) faults.push(...unusedFaults(settings, saslNames, 'SASL_SSL'))
  const tls = usesTls ? readTls(settings, faults) : undefined
  const sasl = usesSasl ? readSasl(settings, faults) : undefined
  const warnings: string[] = []
  if (usesSasl && !usesTls)
    warnings.push(
      'KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT: whoever is on the network reads every event and can guess the password ' +
        'at leisure; use SASL_SSL',
    )
  return { security: { ...(tls && { tls }), ...(sasl && { sasl }), warnings }, faults }
}

/** What createKafka needs of a service's configuration. @throws Failure `invalid_config` where a file changed since. */
export function kafkaAccess(config: KafkaSecuritySettings & { KAFKA_BROKERS: string }): {
  brokers: string[]
  security: KafkaSecurity
} {
  const { security, faults } = readKafkaSecurity(config)
  if (faults.length > 0) throw new Failure(faults.join('\n'), { code: 'invalid_config', retryable: false })
  return { brokers: config.KAFKA_BROKERS.split(','), security }
}

function unusedFaults(
  settings: KafkaSecuritySettings,
  names: readonly (keyof KafkaSecuritySettings)[],
  protocols: string,
): string[] {
  const set = names.filter((name) => settings[name] !== '')
  if (set.length === 0) return []
  return [
    `${set.join(', ')}: set, but KAFKA_SECURITY_PROTOCOL is ${settings.KAFKA_SECURITY_PROTOCOL}, which does not use ` +
      `${set.length === 1 ? 'it' : 'them'}. Set it to ${protocols}, or unset ${set.length === 1 ? 'this' : 'these'}.`,
  ]
}

function readTls(settings: KafkaSecuritySettings, faults: string[]): KafkaSecurity['tls'] {
  const ca = settings.KAFKA_TLS_CA === '' ? undefined : readCa(settings.KAFKA_TLS_CA, faults)
  const identity = readClientIdentity(settings.KAFKA_TLS_CERTIFICATE, settings.KAFKA_TLS_KEY, faults)
  const servername = settings.KAFKA_TLS_SERVER_NAME
  return { ...(ca && { ca }), ...identity, ...(servername === '' ? {} : { servername }) }
}

function readSasl(settings: KafkaSecuritySettings, faults: string[]): KafkaSecurity['sasl'] {
  const { KAFKA_SECURITY_PROTOCOL: protocol, KAFKA_SASL_USERNAME: username } = settings
  const { KAFKA_SASL_PASSWORD: given, KAFKA_SASL_PASSWORD_FILE: file } = settings
  if (username === '') faults.push(`KAFKA_SASL_USERNAME is not set; ${protocol} needs the name of a user.`)
  if (given !== '' && file !== '')
    faults.push('KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set; unset one of them.')
  if (given === '' && file === '')
    faults.push(
      `KAFKA_SASL_PASSWORD is not set; ${protocol} needs it, or KAFKA_SASL_PASSWORD_FILE with a file that holds it.`,
    )
  const password = given === '' && file !== '' ? readSecretFile(file, faults) : given
  return settings.KAFKA_SASL_MECHANISM === 'SCRAM-SHA-256'
    ? { mechanism: 'scram-sha-256', username, password }
    : { mechanism: 'scram-sha-512', username, password }
}
