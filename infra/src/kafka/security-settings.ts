import { Type } from 'typebox'
import { type KafkaSecuritySettings, readKafkaSecurity } from './security.ts'

const defaultProtocol = 'PLAINTEXT'
const protocols = [defaultProtocol, 'SSL', 'SASL_SSL', 'SASL_PLAINTEXT']

/** Part of `kafkaSettings`: how the brokers are spoken to. Kafka's own names of protocols and mechanisms. */
export const kafkaSecuritySettings = {
  KAFKA_SECURITY_PROTOCOL: Type.Enum(protocols, {
    default: defaultProtocol,
    description:
      'What the brokers’ listener expects: SSL is TLS (mutual with a certificate and key), SASL_SSL TLS and a password.',
    check: kafkaSecurityFaults,
  }),
  KAFKA_TLS_CA: Type.String({
    default: '',
    description:
      'File with the certificates of the CA that signed the brokers’, or their PEM text; empty: the CAs that Node knows.',
  }),
  KAFKA_TLS_CERTIFICATE: Type.String({
    default: '',
    description:
      'Mutual TLS: file with this client’s certificate and those between it and the CA, or the PEM text.',
  }),
  KAFKA_TLS_KEY: Type.String({
    default: '',
    description: 'Mutual TLS: file with its private key, not encrypted, or the PEM text.',
    secret: true,
  }),
  KAFKA_TLS_SERVER_NAME: Type.String({
    default: '',
    description: 'The name in the brokers’ certificates, where it is not the one in their addresses.',
  }),
  KAFKA_SASL_MECHANISM: Type.Enum(['SCRAM-SHA-512', 'SCRAM-SHA-256'], {
    default: 'SCRAM-SHA-512',
    description: 'How the password is proved, without being sent; with SASL_SSL and SASL_PLAINTEXT.',
  }),
  KAFKA_SASL_USERNAME: Type.String({ default: '', description: 'Who this process is, for SASL.' }),
  KAFKA_SASL_PASSWORD: Type.String({
    default: '',
    description: 'Its password; or leave it empty and set KAFKA_SASL_PASSWORD_FILE.',
    secret: true,
  }),
  KAFKA_SASL_PASSWORD_FILE: Type.String({
    default: '',
    description: 'File that holds nothing but the password.',
  }),
}

/** What is wrong with the variables taken together and with the files that they name. */
function kafkaSecurityFaults(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const protocol = env.KAFKA_SECURITY_PROTOCOL ?? defaultProtocol
  // Another value is a fault already; what it would mean for the others nobody knows.
  if (!protocols.includes(protocol)) return []
  const textOf = (name: keyof KafkaSecuritySettings): string => env[name] ?? ''
  return readKafkaSecurity({
    KAFKA_SECURITY_PROTOCOL: protocol,
    KAFKA_TLS_CA: textOf('KAFKA_TLS_CA'),
    KAFKA_TLS_CERTIFICATE: textOf('KAFKA_TLS_CERTIFICATE'),
    KAFKA_TLS_KEY: textOf('KAFKA_TLS_KEY'),
    KAFKA_TLS_SERVER_NAME: textOf('KAFKA_TLS_SERVER_NAME'),
    KAFKA_SASL_MECHANISM: textOf('KAFKA_SASL_MECHANISM'),
    KAFKA_SASL_USERNAME: textOf('KAFKA_SASL_USERNAME'),
    KAFKA_SASL_PASSWORD: textOf('KAFKA_SASL_PASSWORD'),
    KAFKA_SASL_PASSWORD_FILE: textOf('KAFKA_SASL_PASSWORD_FILE'),
  }).faults
}
