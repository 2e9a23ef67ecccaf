import { envSchema } from 'env-schema'
import type { Static, TObject } from 'typebox'
import { checkFaults, configFaults, type SettingSchema } from './config-faults.ts'
import { asFailure, Failure } from './failure.ts'

export type Environment = Record<string, string | undefined>

/**
 * Reads the variables that the schema names, with its defaults; every other variable is ignored. All faults are
 * reported together in one Failure (`invalid_config`), because mending them one start at a time wastes a day.
 */
export function readConfig<T extends TObject>(schema: T, env: Environment): Static<T> {
  const settings = settingsOf(schema)
  const checked = checkFaults(settings, env)
  let config: Static<T>
  try {
    config = envSchema<Static<T>>({
      // A copy, for env-schema writes additionalProperties into what it is given.
      schema: { ...schema },
      env: false,
      data: { ...env },
      ajv: {
        customOptions: (ajv) =>
          ajv
            .addKeyword('secret')
            .addKeyword('check')
            .addFormat('url', { type: 'string', validate: (text: string) => URL.canParse(text) }),
      },
    })
  } catch (error) {
    const faults = configFaults(error, settings, env)
    if (faults.length === 0) throw error
    throw invalidConfig([...faults, ...checked])
  }
  if (checked.length > 0) throw invalidConfig(checked)
  return config
}

function invalidConfig(faults: readonly string[]): Failure {
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
  const message = [`The configuration has ${count}:`, ...faults].join('\n  ')
  return new Failure(message, { code: 'invalid_config', retryable: false })
}

/** For the first line of a main.ts, where no log exists yet: faults go to standard error and end the process. */
export function readConfigOrExit<T extends TObject>(schema: T, env: Environment): Static<T> {
  try {
    return readConfig(schema, env)
  } catch (error) {
    console.error(asFailure(error).message)
    process.exit(1)
  }
}

/** The settings as text for the log at start: secrets and passwords inside URLs are struck out. */
export function describeConfig<T extends TObject>(schema: T, config: Static<T>): Record<string, string> {
  const values = new Map<string, unknown>(Object.entries(config))
  const described: Record<string, string> = {}
  for (const [name, setting] of Object.entries(settingsOf(schema))) {
    const text = String(values.get(name) ?? '')
    described[name] = setting.secret === true ? (text === '' ? '' : '[redacted]') : withoutPassword(text)
  }
  return described
}

export function settingsOf(schema: TObject): Record<string, SettingSchema> {
  return schema.properties
}

function withoutPassword(text: string): string {
  return text.replace(/(\/\/[^/:@]*:)[^@/]*@/, '$1[redacted]@')
}
