import { parseArgs } from 'node:util'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { type ApiKeyMode, scopes as allScopes, type Scope } from '@tidemark/schemas/api-key.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'

export type KeysOrder =
  | { readonly kind: 'list' }
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

export const keysUsage = `API keys and the tenants that they belong to:
  create --tenant <id> [--name <text>] [--scopes ingest,read,admin] [--mode live|test] [--expires <RFC 3339>]
         makes the tenant too, if it is new; --name is then its name; all scopes and mode live by default
  list
  revoke <key id>`

/** What a command line asks for. @throws Failure `usage` that says what is wrong with it */
export function readKeysOrder(args: readonly string[]): KeysOrder {
  const { values, positionals } = parse(args)
  const [command, id, ...more] = positionals
  if (more.length > 0) throw usage(`"${more[0]}" is one word too many`)
  if (command === 'list' && id === undefined) return { kind: 'list' }
  if (command === 'revoke') {
    if (id === undefined || !/^[a-z0-9]{16}$/.test(id))
      throw usage('revoke needs the id of a key, 16 characters')
    return { kind: 'revoke', id }
  }
  if (command !== 'create' || id !== undefined) throw usage('Give one of create, list, revoke')
  if (!values.tenant) throw usage('create needs --tenant')
  if (values.mode !== 'live' && values.mode !== 'test')
    throw usage(`--mode is live or test, not "${values.mode}"`)
  if (values.expires !== undefined && parseInstant(values.expires) === undefined)
    throw usage(`--expires is no RFC 3339 instant: "${values.expires}"`)
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

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tenant: { type: 'string' },
        name: { type: 'string' },
        scopes: { type: 'string', default: allScopes.join(',') },
        mode: { type: 'string', default: 'live' },
        expires: { type: 'string' },
      },
    })
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function readScopes(text: string): Scope[] {
  const wanted = text.split(',').map((each) => each.trim())
  const unknown = wanted.find((each) => !allScopes.some((scope) => scope === each))
  if (unknown !== undefined) throw usage(`--scopes takes ${allScopes.join(', ')}, not "${unknown}"`)
  return allScopes.filter((scope) => wanted.includes(scope))
}

const usage = (message: string): Failure => new Failure(message, { code: 'usage', retryable: false })
