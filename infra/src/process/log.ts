import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { createPrettyStream } from './pretty-stream.ts'

export type Log = Logger

export type LogOptions = {
  service: string
  level: string
  pretty: boolean
  /** Where lines go; standard output unless a test collects them. */
  destination?: DestinationStream
}

const secretFields = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'apiKey',
  'token',
  'rolePassword',
  'CLICKHOUSE_PASSWORD',
  'KAFKA_SASL_PASSWORD',
  'KAFKA_TLS_KEY',
  'POSTGRES_ROLE_PASSWORD',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
]

/**
 * One JSON line per entry on standard output. Level error is kept for what a person must act on: it may wake
 * somebody. Secrets are struck out by field name up to three levels deep; payloads are never logged at all.
 */
export function createLog(options: LogOptions): Log {
  const output = options.destination ?? process.stdout
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
    },
    options.pretty ? createPrettyStream(output) : output,
  )
}
