export type Policy = {
  /** `key-events`, `tenant-bytes`, … */
  readonly name: string
  readonly unit: 'events' | 'content-bytes'
  readonly rate: number
  readonly remaining: number
  readonly msUntilNext: number
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))

/**
 * `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-10: per policy the quota q, its window w in
 * seconds and its unit qu, and what remains r until t seconds from now. The unit "events" is Tidemark's own.
 */
export function rateLimitHeaders(policies: readonly Policy[]): Record<string, string> {
  const policy = policies.map(({ name, rate, unit }) => `"${name}";q=${rate};w=1;qu="${unit}"`)
  const state = policies.map(
    ({ name, remaining, msUntilNext }) => `"${name}";r=${Math.floor(remaining)};t=${seconds(msUntilNext)}`,
  )
  return { 'ratelimit-policy': policy.join(', '), ratelimit: state.join(', ') }
}

/** Whole seconds, at least one: sooner nothing changes. */
export const retryAfter = (ms: number): Record<string, string> => ({ 'retry-after': String(seconds(ms)) })
