import type { Authenticator, Principal } from '@tidemark/infra/access/authenticator.ts'
import type { Scope } from '@tidemark/schemas/api-key.ts'
import type { FastifyRequest } from 'fastify'

export type Principals = {
  /** An onRequest hook: a stranger is refused before the body is read. */
  require(scope: Scope): (request: FastifyRequest) => Promise<void>
  /** Who calls a route that requires a scope. */
  of(request: FastifyRequest): Principal
}

export function createPrincipals(authenticator: Authenticator): Principals {
  const known = new WeakMap<FastifyRequest, Principal>()
  return {
    require: (scope) => async (request) => {
      known.set(request, await authenticator.authenticate(request.headers.authorization, scope))
    },
    of(request) {
      const principal = known.get(request)
      if (!principal) throw new Error(`${request.url} has no hook that asks who calls`)
      return principal
    },
  }
}
