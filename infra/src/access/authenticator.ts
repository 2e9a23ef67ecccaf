import { hashApiKey, parseApiKey, type Scope } from '@tidemark/schemas/api-key.ts'
import type { Queryable } from '../postgres/pool.ts'
import { HttpProblem } from '../process/problem.ts'

/** Who calls: everything that a request may touch follows from its key. */
export type Principal = {
  readonly keyId: string
  readonly tenant: string
  readonly tenantNumber: number
  readonly scopes: readonly Scope[]
}

type Found = { readonly at: number; readonly principal: Promise<Principal | undefined> }
type Row = { id: string; tenant: string; tenant_number: number; scopes: Scope[] }

/** How long an answer is believed: a revoked key works at most this long, everywhere. */
const freshMs = 20_000
/** Enough for every key of a large installation; the oldest leaves first. */
const remembered = 10_000

export type Authenticator = {
  /**
   * @param connection on which the key came: while it shows the same one, the key is not hashed for every request
   * @throws HttpProblem 401 for a missing, malformed, unknown, expired or revoked key, 403 without the scope.
   */
  authenticate(authorization: string | undefined, scope: Scope, connection?: object): Promise<Principal>
}

/** Looks keys up by their hash in access.valid_keys and remembers the answers, the unknown ones too, for 20 seconds. */
export function createAuthenticator(pool: Queryable, now: () => number): Authenticator {
  const known = new Map<string, Found>()
  const shown = new WeakMap<object, Found & { authorization: string }>()

  function lookUp(key: string): Found {
    const hash = hashApiKey(key)
    const index = hash.toString('latin1')
    const found = known.get(index)
    if (found && now() - found.at < freshMs) return found
    known.delete(index)
    const principal = findKey(pool, hash)
    const looked = { at: now(), principal }
    known.set(index, looked)
    if (known.size > remembered) known.delete(known.keys().next().value ?? '')
    principal.catch(() => known.delete(index))
    return looked
  }

  async function principalOf(authorization: string, connection: object | undefined): Promise<Principal> {
    const before = connection && shown.get(connection)
    if (before?.authorization === authorization && now() - before.at < freshMs) {
      const principal = await before.principal
      if (principal) return principal
    }
    // RFC 9110: the scheme's name is read in any case.
    const key = /^bearer +(.*)$/i.exec(authorization)?.[1]
    if (key === undefined)
      throw refused('api_key_missing', 'Send the API key as "Authorization: Bearer tm_…".')
    if (!parseApiKey(key))
      throw refused('api_key_malformed', 'This is no API key: it may be cut off or mistyped.')
    const found = lookUp(key)
    const principal = await found.principal
    if (!principal) throw refused('api_key_unknown', 'This API key is unknown, expired or revoked.')
    if (connection) shown.set(connection, { ...found, authorization })
    return principal
  }

  return {
    async authenticate(authorization, scope, connection) {
      const principal = await principalOf(authorization ?? '', connection)
      if (!principal.scopes.includes(scope) && !principal.scopes.includes('admin'))
        throw new HttpProblem({
          status: 403,
          code: 'scope_missing',
          detail: `This API key may not do this: it needs the scope "${scope}".`,
        })
      return principal
    },
  }
}

const refused = (code: string, detail: string): HttpProblem =>
  new HttpProblem({ status: 401, code, detail, headers: { 'www-authenticate': 'Bearer' } })

async function findKey(pool: Queryable, hash: Buffer): Promise<Principal | undefined> {
  const { rows } = await pool.query<Row>(
    'SELECT id, tenant, tenant_number, scopes FROM access.valid_keys WHERE key_sha256 = $1',
    [hash],
  )
  const row = rows[0]
  return row && { keyId: row.id, tenant: row.tenant, tenantNumber: row.tenant_number, scopes: row.scopes }
}
