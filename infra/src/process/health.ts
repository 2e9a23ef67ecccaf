import { asFailure } from './failure.ts'

export type HealthOptions = {
  /** One question per server that the service needs, like `SELECT 1`; rejecting means that it does not answer. */
  checks: Record<string, () => Promise<unknown>>
  /** Says what does not move, or nothing while the service makes progress. */
  progress?: () => string | undefined
  /** The same for parts that the service does without for a while: told, but it stays ready. */
  reported?: Record<string, () => string | undefined>
  checkTimeoutMs?: number
}

export type CheckResult = { ok: boolean; durationMs: number; reason?: string }

export type HealthReport = { status: 'ready' | 'not_ready'; checks: Record<string, CheckResult> }

export type Health = () => Promise<HealthReport>

/**
 * Ready means that every server answers in time and that the service makes progress. Callers that ask at the same
 * moment share one round of questions, so that probes never become a load of their own.
 */
export function createHealth(options: HealthOptions): Health {
  let round: Promise<HealthReport> | undefined
  return () => {
    round ??= examine(options).finally(() => {
      round = undefined
    })
    return round
  }
}

async function examine({
  checks,
  progress,
  reported = {},
  checkTimeoutMs = 2_000,
}: HealthOptions): Promise<HealthReport> {
  const asked = Object.entries(checks).map(
    async ([name, check]) => [name, await ask(check, checkTimeoutMs)] as const,
  )
  const results = Object.fromEntries(await Promise.all(asked))
  if (progress !== undefined) results.progress = told(progress())
  const ready = Object.values(results).every((result) => result.ok)
  for (const [name, fault] of Object.entries(reported)) results[name] = told(fault())
  return { status: ready ? 'ready' : 'not_ready', checks: results }
}

const told = (reason: string | undefined): CheckResult => ({
  ok: reason === undefined,
  durationMs: 0,
  ...(reason === undefined ? {} : { reason }),
})

async function ask(check: () => Promise<unknown>, timeoutMs: number): Promise<CheckResult> {
  const startedAt = performance.now()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    await Promise.race([check(), late])
    return { ok: true, durationMs: elapsedMs(startedAt) }
  } catch (error) {
    return { ok: false, durationMs: elapsedMs(startedAt), reason: asFailure(error).message }
  } finally {
    clearTimeout(timer)
  }
}

function elapsedMs(startedAt: number): number {
  return Math.round(performance.now() - startedAt)
}
