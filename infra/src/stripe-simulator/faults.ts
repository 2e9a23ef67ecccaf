import { invalidRequest } from './api-error.ts'

/** What a script may do to a request, and to a webhook. */
const requestFaults = [
  'reset_before',
  'reset_after',
  'error_500_after',
  'rate_limit',
  'slow',
  'slow_after',
] as const
const webhookFaults = ['webhook_duplicated', 'webhook_reordered', 'webhook_lost'] as const

export type RequestFault = (typeof requestFaults)[number]
export type WebhookFault = (typeof webhookFaults)[number]

export type Fault = {
  fault: RequestFault | WebhookFault
  match: { method?: string; path?: string; event?: string }
  /** Only this account, or every account. */
  account: string | null
  times: number
  delayMs: number
}

export type Faults = {
  add(fault: Fault): void
  clear(account: string | null): void
  list(): Fault[]
  /** The first scripted fault that fits, counted down. Faults that need an execution fit no replay. */
  takeForRequest(request: {
    account: string
    method: string
    path: string
    replay: boolean
  }): Fault | undefined
  takeForWebhook(webhook: { account: string; type: string }): Fault | undefined
}

/** Faults live in memory only: a restarted simulator is healthy. */
export function createFaults(): Faults {
  let scripted: Fault[] = []
  const take = (fits: (fault: Fault) => boolean): Fault | undefined => {
    const found = scripted.find(fits)
    if (found === undefined) return undefined
    found.times -= 1
    scripted = scripted.filter((fault) => fault.times > 0)
    return found
  }
  return {
    add: (fault) => {
      scripted.push(fault)
    },
    clear: (account) => {
      scripted = account === null ? [] : scripted.filter((fault) => fault.account !== account)
    },
    list: () => scripted,
    takeForRequest: (request) =>
      take(
        (fault) =>
          isRequestFault(fault.fault) &&
          !(request.replay && fault.fault === 'error_500_after') &&
          (fault.account === null || fault.account === request.account) &&
          (fault.match.method ?? request.method) === request.method &&
          pathFits(fault.match.path, request.path),
      ),
    takeForWebhook: (webhook) =>
      take(
        (fault) =>
          !isRequestFault(fault.fault) &&
          (fault.account === null || fault.account === webhook.account) &&
          (fault.match.event ?? webhook.type) === webhook.type,
      ),
  }
}

/** Checks the body of POST /_simulator/faults; every fault of it is named with what is allowed. */
export function readFault(body: unknown, account: string | null): Fault {
  const fields: Map<string, unknown> = new Map(Object.entries(body ?? {}))
  const name = fields.get('fault')
  const fault = [...requestFaults, ...webhookFaults].find((known) => known === name)
  if (fault === undefined) {
    throw invalidRequest(
      `fault is ${String(name)}; it must be one of ${[...requestFaults, ...webhookFaults].join(', ')}.`,
      { param: 'fault' },
    )
  }
  const match: Map<string, unknown> = new Map(Object.entries(fields.get('match') ?? {}))
  const allowed = isRequestFault(fault) ? ['method', 'path'] : ['event']
  for (const [key, value] of match) {
    if (allowed.includes(key) && typeof value === 'string') continue
    throw invalidRequest(
      `match.${key} is not usable with ${fault}: send ${allowed.join(' and ')} as strings.`,
      {
        param: `match[${key}]`,
      },
    )
  }
  return {
    fault,
    match: Object.fromEntries([...match].map(([key, value]) => [key, String(value)])),
    account,
    times: positive(fields.get('times') ?? 1, 'times', 1_000_000),
    delayMs: positive(fields.get('delayMs') ?? 2_000, 'delayMs', 600_000),
  }
}

function isRequestFault(name: Fault['fault']): name is RequestFault {
  return requestFaults.some((known) => known === name)
}

/** `*` stands for one segment, as in /v1/payment_intents/{*}/confirm, without the braces. */
function pathFits(pattern: string | undefined, path: string): boolean {
  if (pattern === undefined) return true
  const wanted = pattern.split('/')
  const parts = path.split('/')
  return (
    wanted.length === parts.length && wanted.every((part, index) => part === '*' || part === parts[index])
  )
}

function positive(value: unknown, param: string, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw invalidRequest(`${param} is ${String(value)}; it must be a whole number from 1 to ${most}.`, {
    param,
  })
}
