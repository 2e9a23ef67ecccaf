import type { FastifyInstance, FastifyRequest } from 'fastify'
import { invalidRequest } from './api-error.ts'
import type { AppParts } from './app.ts'
import { authenticate } from './authentication.ts'
import { readFault } from './faults.ts'
import { summarize } from './summary.ts'

/**
 * What tests and people use to steer the simulator; JSON, no key needed. With an Authorization header a call is
 * about that key's account only, without one about all accounts.
 */
export function registerControl(app: FastifyInstance, parts: AppParts): void {
  const { store, faults, webhooks } = parts

  app.get('/_simulator/state', async (request) => summarize(store.state, scopeOf(request), faults.list()))

  app.post('/_simulator/faults', async (request) => {
    const fault = readFault(request.body, scopeOf(request))
    faults.add(fault)
    return fault
  })
  app.delete('/_simulator/faults', async (request) => {
    faults.clear(scopeOf(request))
    return { faults: faults.list() }
  })

  app.get('/_simulator/clock', async () => ({ now: new Date(store.nowMs()).toISOString() }))
  app.post('/_simulator/clock', async (request) => {
    const seconds = fieldsOf(request.body).get('advanceSeconds')
    if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0) {
      throw invalidRequest(
        `advanceSeconds is ${String(seconds)}; it must be a whole number, not negative: the clock never goes back.`,
        { param: 'advanceSeconds' },
      )
    }
    store.write({ line: 'clock', aheadMs: store.state.aheadMs + seconds * 1_000 })
    return { now: new Date(store.nowMs()).toISOString() }
  })

  const listed = () => ({ endpoints: webhooks.endpoints().map(({ url, account }) => ({ url, account })) })
  app.get('/_simulator/webhook_endpoints', async () => listed())
  app.post('/_simulator/webhook_endpoints', async (request) => {
    const fields = fieldsOf(request.body)
    const url = urlOf(fields.get('url'))
    const secret = fields.get('secret') ?? parts.webhookSecret
    if (typeof secret !== 'string' || secret === '') {
      throw invalidRequest('secret must be a string that is not empty, or left out.', { param: 'secret' })
    }
    const endpoints = store.state.endpoints.filter((endpoint) => endpoint.url !== url)
    store.write({ line: 'endpoints', endpoints: [...endpoints, { url, secret, account: scopeOf(request) }] })
    return listed()
  })
  app.delete('/_simulator/webhook_endpoints', async (request) => {
    const url = fieldsOf(request.body).get('url')
    const scope = scopeOf(request)
    const endpoints = store.state.endpoints.filter(
      (endpoint) =>
        (scope !== null && endpoint.account !== scope) || (url !== undefined && endpoint.url !== url),
    )
    store.write({ line: 'endpoints', endpoints })
    return listed()
  })
}

function scopeOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers
  return authorization === undefined ? null : authenticate(authorization)
}

function fieldsOf(body: unknown): Map<string, unknown> {
  return new Map(Object.entries(body ?? {}))
}

function urlOf(value: unknown): string {
  if (typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)) return value
  throw invalidRequest(
    `url is ${String(value)}; it must be an http address like http://127.0.0.1:4300/path.`,
    {
      param: 'url',
    },
  )
}
