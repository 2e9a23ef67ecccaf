import { isRecord } from './record.ts'

type Environment = Record<string, string | undefined>

/** What is read of a setting's JSON Schema, here and for `.env.example`. */
export type SettingSchema = {
  type?: unknown
  format?: unknown
  enum?: unknown
  minimum?: unknown
  maximum?: unknown
  minLength?: unknown
  pattern?: unknown
  examples?: unknown
  default?: unknown
  description?: unknown
  secret?: unknown
  /** What is wrong with it beyond its own text, with other variables for example: a sentence for each fault. */
  check?: (env: Environment) => readonly string[]
}

/** One sentence for each variable that a schema refuses: what it is, what is expected and what it is for. */
export function configFaults(
  error: unknown,
  settings: Record<string, SettingSchema>,
  env: Environment,
): string[] {
  const names = new Set<string>()
  for (const entry of errorsOf(error)) {
    const name = variableOf(entry)
    if (name !== undefined) names.add(name)
  }
  return [...names].map((name) => describeFault(name, settings[name] ?? {}, env[name]))
}

/** What the settings' own checks find. */
export const checkFaults = (settings: Record<string, SettingSchema>, env: Environment): string[] =>
  Object.values(settings).flatMap(({ check }) => [...(check?.(env) ?? [])])

function errorsOf(error: unknown): unknown[] {
  if (!(error instanceof Error) || !('errors' in error)) return []
  return Array.isArray(error.errors) ? error.errors : []
}

function variableOf(entry: unknown): string | undefined {
  if (!isRecord(entry)) return undefined
  const { instancePath, params } = entry
  if (typeof instancePath === 'string' && instancePath !== '') return instancePath.slice(1).split('/')[0]
  if (isRecord(params) && typeof params.missingProperty === 'string') return params.missingProperty
  return undefined
}

function describeFault(name: string, setting: SettingSchema, value: string | undefined): string {
  const shown = setting.secret === true ? 'set to a secret that does not fit' : JSON.stringify(value)
  const state = value === undefined ? 'is not set' : `is ${shown}`
  const purpose = typeof setting.description === 'string' ? ` ${setting.description}` : ''
  return `${name} ${state}; expected ${describeExpected(setting)}.${purpose}`
}

export function describeExpected(setting: SettingSchema): string {
  if (Array.isArray(setting.enum)) return `one of ${setting.enum.join(', ')}`
  if (setting.format === 'url') return 'a URL'
  if (setting.type === 'boolean') return 'true or false'
  if (setting.type === 'integer' || setting.type === 'number') return describeNumber(setting)
  if (Array.isArray(setting.examples)) return `text like ${setting.examples.join(' or ')}`
  if (typeof setting.pattern === 'string') return `text that matches ${setting.pattern}`
  if (setting.minLength === 1) return 'text that is not empty'
  return setting.minLength === undefined ? 'text' : `text of at least ${String(setting.minLength)} characters`
}

function describeNumber({ type, minimum, maximum }: SettingSchema): string {
  const noun = type === 'integer' ? 'a whole number' : 'a number'
  if (minimum !== undefined && maximum !== undefined)
    return `${noun} from ${String(minimum)} to ${String(maximum)}`
  if (minimum !== undefined) return `${noun} of at least ${String(minimum)}`
  return maximum === undefined ? noun : `${noun} of at most ${String(maximum)}`
}
