import type { Principal } from '@tidemark/infra/access/authenticator.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { Bucket } from './bucket.ts'
import type { Limit } from './limit-store.ts'
import { type Policy, rateLimitHeaders, retryAfter } from './rate-limit-headers.ts'

/** What a request is about to send. */
export type Amount = { events: number; bytes: number }
type Caller = Pick<Principal, 'tenant' | 'keyId'>
type Unit = keyof Amount
type NamedBucket = { name: string; of: 'key' | 'tenant'; unit: Unit; bucket: Bucket }

export type Limits = {
  /** Takes up what the database says now; what did not change goes on counting. */
  replace(limits: readonly Limit[]): void
  /** Before the body is read. @throws HttpProblem 429 for a caller whose last request was refused, until its wait is over */
  refuseExhausted(caller: Caller): void
  /** Undefined, at once, where nothing must be asked. @throws HttpProblem 429 when a limit is reached */
  admit(caller: Caller, amount: Amount): Promise<void> | undefined
  /** For the answer; none for a caller without limits. */
  headers(caller: Caller): Record<string, string> | undefined
}

export function createLimits(
  openBucket: (name: string, rate: number) => Bucket,
  onRefused: (limit: string) => void,
): Limits {
  let buckets = new Map<string, NamedBucket[]>()

  function replace(limits: readonly Limit[]): void {
    const before = new Map(
      [...buckets].flatMap(([owner, own]) => own.map((each) => [owner + each.unit, each])),
    )
    const open = (owner: string, of: 'key' | 'tenant', unit: Unit, rate: number | null): NamedBucket[] => {
      if (rate === null) return []
      const known = before.get(owner + unit)
      const bucket = known?.bucket.rate === rate ? known.bucket : openBucket(`${owner}:${unit}`, rate)
      return [{ name: `${of}-${unit}`, of, unit, bucket }]
    }
    buckets = new Map(
      limits.map(({ tenant, keyId, eventsPerSecond, bytesPerSecond }) => {
        const of = keyId === null ? 'tenant' : 'key'
        const owner = keyId === null ? `tenant:${tenant}` : `key:${keyId}`
        return [
          owner,
          [...open(owner, of, 'events', eventsPerSecond), ...open(owner, of, 'bytes', bytesPerSecond)],
        ]
      }),
    )
  }

  /** The key's first: what it is refused, its tenant's other keys keep. */
  function of({ tenant, keyId }: Caller): readonly NamedBucket[] {
    if (buckets.size === 0) return none
    const key = buckets.get(`key:${keyId}`)
    const whole = buckets.get(`tenant:${tenant}`)
    return key && whole ? [...key, ...whole] : (key ?? whole ?? none)
  }

  function refuse(all: readonly NamedBucket[], { name, of, unit, bucket }: NamedBucket): never {
    onRefused(name)
    throw new HttpProblem({
      status: 429,
      code: 'rate_limited',
      detail: `This ${of === 'key' ? 'API key' : 'tenant'} may send ${bucket.rate} ${unit} per second and nothing of this request is accepted; send it again after Retry-After.`,
      extensions: { limit: name },
      headers: { ...rateLimitHeaders(all.map(policyOf)), ...retryAfter(bucket.msUntilNext()) },
    })
  }

  async function takeFrom(
    all: readonly NamedBucket[],
    amount: Amount,
    first: number,
    answer: Promise<boolean>,
  ) {
    if (!(await answer)) return refuseAfter(all, amount, first)
    return takeAll(all, amount, first + 1)
  }

  function refuseAfter(all: readonly NamedBucket[], amount: Amount, position: number): undefined {
    for (const { bucket, unit } of all.slice(0, position)) bucket.giveBack(amount[unit])
    const refusing = all[position]
    if (refusing) refuse(all, refusing)
  }

  function takeAll(all: readonly NamedBucket[], amount: Amount, first = 0): Promise<void> | undefined {
    for (let position = first; position < all.length; position++) {
      const each = all[position]
      const answer = each === undefined || each.bucket.take(amount[each.unit])
      if (answer instanceof Promise) return takeFrom(all, amount, position, answer)
      if (!answer) refuseAfter(all, amount, position)
    }
    return undefined
  }

  return {
    replace,
    refuseExhausted(caller) {
      const all = of(caller)
      const refusing = all.find(({ bucket }) => bucket.isExhausted())
      if (refusing) refuse(all, refusing)
    },
    admit: (caller, amount) => takeAll(of(caller), amount),
    headers(caller) {
      const all = of(caller)
      return all.length === 0 ? undefined : rateLimitHeaders(all.map(policyOf))
    },
  }
}

const none: readonly NamedBucket[] = []

const policyOf = ({ name, unit, bucket }: NamedBucket): Policy => ({
  name,
  unit: unit === 'bytes' ? 'content-bytes' : 'events',
  rate: bucket.rate,
  remaining: bucket.remaining(),
  msUntilNext: bucket.msUntilNext(),
})
