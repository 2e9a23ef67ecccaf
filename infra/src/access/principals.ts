import type { Scope } from '@tidemark/schemas/api-key.ts'
import type { FastifyRequest } from 'fastify'
import type { Authenticator, Principal } from './authenticator.ts'

export type Principals = {
  /** An onRequest hook: who calls is known before the body is read, so that a stranger costs nothing and learns nothing. */
  require(scope: Scope): (request: FastifyRequest) => Promise<void>
  /** Of a route that requires a scope. */
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
