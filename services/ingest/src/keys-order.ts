import { readCommandLine, usageFailure } from '@tidemark/infra/process/command-line.ts'
import { type ApiKeyMode, scopes as allScopes, type Scope } from '@tidemark/schemas/api-key.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { keyIdPattern } from './api-keys.ts'
import { highestRate, type Rates } from './limits/limit-store.ts'

export type KeysOrder =
  | { readonly kind: 'list' }
  | { readonly kind: 'limits' }
  | { readonly kind: 'rotate'; readonly id: string; readonly overlapSeconds: number }
  | ({ readonly kind: 'limit' } & LimitOrder)
  | { readonly kind: 'memory'; readonly tenant: string; readonly enabled: boolean }
  | { readonly kind: 'revoke'; readonly id: string }
  | {
      readonly kind: 'create'
      readonly tenant: string
      readonly tenantName: string
      readonly name: string
      readonly scopes: readonly Scope[]
      readonly mode: ApiKeyMode
      readonly expiresAt?: string
    }

export type LimitOrder = {
  readonly tenant?: string
  readonly keyId?: string
  readonly rates: Partial<Rates>
}

const keyId = new RegExp(keyIdPattern)

export const keysUsage = `API keys and the tenants that they belong to:
  create --tenant <id> [--name <text>] [--scopes ingest,read,admin] [--mode live|test] [--expires <RFC 3339>]
         makes the tenant too, if it is new; --name is then its name; all scopes and mode live by default
  list
  revoke <key id>
  rotate <key id> [--overlap <seconds>]
         a new key with the same name and scopes; the old one ends after the overlap, an hour by default
  limit  --tenant <id> | --key <id>  [--events <per second>|none] [--bytes <per second>|none]
  limits
  memory on|off --tenant <id>
         whether its acknowledged ids are remembered, so that a repeat is answered as a duplicate`

/** What a command line asks for at this instant. @throws Failure `usage` that says what is wrong with it */
export function readKeysOrder(args: readonly string[], nowMicros: Micros1970): KeysOrder {
  const { values, positionals } = readCommandLine(args, options)
  const [command, id, ...more] = positionals
  if (more.length > 0) throw usageFailure(`"${more[0]}" is one word too many`)
  if (command === 'list' && id === undefined) return { kind: 'list' }
  if (command === 'limits' && id === undefined) return { kind: 'limits' }
  if (command === 'revoke' || command === 'rotate') {
    if (id === undefined || !keyId.test(id))
      throw usageFailure(`${command} needs the id of a key, 16 characters`)
    if (command === 'revoke') return { kind: 'revoke', id }
    return { kind: 'rotate', id, overlapSeconds: readWhole('--overlap', values.overlap, 0, 604_800) }
  }
  if (command === 'limit' && id === undefined) return { kind: 'limit', ...readLimitOrder(values) }
  if (command === 'memory') {
    if (id !== 'on' && id !== 'off') throw usageFailure('memory is followed by on or off')
    if (!values.tenant) throw usageFailure('memory needs --tenant')
    return { kind: 'memory', tenant: values.tenant, enabled: id === 'on' }
  }
  if (command !== 'create' || id !== undefined)
    throw usageFailure('Give one of create, list, revoke, rotate, limit, limits, memory')
  if (!values.tenant) throw usageFailure('create needs --tenant')
  if (values.mode !== 'live' && values.mode !== 'test')
    throw usageFailure(`--mode is live or test, not "${values.mode}"`)
  if (values.expires !== undefined) checkExpiry(values.expires, nowMicros)
  return {
    kind: 'create',
    tenant: values.tenant,
    tenantName: values.name ?? values.tenant,
    name: values.name ?? 'key',
    scopes: readScopes(values.scopes),
    mode: values.mode,
    ...(values.expires === undefined ? {} : { expiresAt: values.expires }),
  }
}

const options = {
  tenant: { type: 'string' },
  name: { type: 'string' },
  scopes: { type: 'string', default: allScopes.join(',') },
  mode: { type: 'string', default: 'live' },
  expires: { type: 'string' },
  overlap: { type: 'string', default: '3600' },
  key: { type: 'string' },
  events: { type: 'string' },
  bytes: { type: 'string' },
} as const

type LimitValues = { [name in 'tenant' | 'key' | 'events' | 'bytes']?: string | undefined }

function readLimitOrder({ tenant, key, events, bytes }: LimitValues): LimitOrder {
  if ((tenant === undefined) === (key === undefined))
    throw usageFailure('limit needs either --tenant or --key')
  if (key !== undefined && !keyId.test(key)) throw usageFailure('--key is the id of a key, 16 characters')
  if (events === undefined && bytes === undefined) throw usageFailure('limit needs --events or --bytes')
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(key === undefined ? {} : { keyId: key }),
    rates: {
      ...(events === undefined ? {} : { eventsPerSecond: readRate('--events', events) }),
      ...(bytes === undefined ? {} : { bytesPerSecond: readRate('--bytes', bytes) }),
    },
  }
}

const readRate = (option: string, text: string): number | null =>
  text === 'none' ? null : readWhole(option, text, 1, highestRate, ' or none')

function readWhole(option: string, text: string, least: number, most: number, or = ''): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw usageFailure(`${option} takes a whole number from ${least} to ${most}${or}, not "${text}"`)
}

function checkExpiry(text: string, nowMicros: Micros1970): void {
  const instant = parseInstant(text)
  if (instant === undefined) throw usageFailure(`--expires is no RFC 3339 instant: "${text}"`)
  if (instant <= nowMicros)
    throw usageFailure(
      `--expires must lie in the future: "${text}" has passed, now is ${formatInstant(nowMicros)}. A key that no service takes is not made`,
    )
}

function readScopes(text: string): Scope[] {
  const wanted = text.split(',').map((each) => each.trim())
  const unknown = wanted.find((each) => !allScopes.some((scope) => scope === each))
  if (unknown !== undefined) throw usageFailure(`--scopes takes ${allScopes.join(', ')}, not "${unknown}"`)
  return allScopes.filter((scope) => wanted.includes(scope))
}
