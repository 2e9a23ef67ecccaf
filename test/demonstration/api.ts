import { setTimeout as pause } from 'node:timers/promises'

export type Call = { url: string; key: string; method?: 'GET' | 'POST'; body?: unknown }

/** Calls Tidemark's API as a client does; a refusal becomes an error with the problem's own words. */
export async function call<T>({ url, key, method = 'GET', body }: Call): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(120_000),
  })
  const text = await response.text()
  if (!response.ok)
    throw new ApiError(
      response.status,
      `${method} ${url} answered ${response.status}: ${text.slice(0, 2000)}`,
    )
  return JSON.parse(text)
}

export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** All pages of a list. */
export async function listAll<T>(url: string, key: string): Promise<T[]> {
  const items: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const target = new URL(url)
    target.searchParams.set('limit', '200')
    if (cursor !== '') target.searchParams.set('cursor', cursor)
    const page: { items: T[]; nextCursor: string | null } = await call({ url: target.href, key })
    items.push(...page.items)
    cursor = page.nextCursor ?? null
  }
  return items
}

/** Asks until the answer is there, or says what was still missing. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  withinMs = 120_000,
): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`)
    await pause(200)
  }
}

/** Runs a task for each item, a few at a time, and answers the results in order. */
export async function mapWith<T, R>(
  workers: number,
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index]
      if (item !== undefined) results[index] = await task(item)
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return results
}
