import { HttpProblem } from '@tidemark/infra/process/problem.ts'

/** Of the ten connections to ClickHouse some stay free for the relay's watermarks, which closing waits for. */
const mostReads = 6
/** Two tenants with slow questions leave a place to a third. */
const mostReadsOfTenant = 2

/** Runs reads, a few at a time. */
export type ReadingGate = <T>(tenant: string, read: () => Promise<T>) => Promise<T>

/** Nothing waits here: a read that finds no place is refused at once. @throws HttpProblem 429 or 503 */
export function createReadingGate(): ReadingGate {
  const running = new Map<string, number>()
  let total = 0

  function leave(tenant: string): void {
    const left = (running.get(tenant) ?? 1) - 1
    if (left === 0) running.delete(tenant)
    else running.set(tenant, left)
    total -= 1
  }

  return async (tenant, read) => {
    const own = running.get(tenant) ?? 0
    if (own >= mostReadsOfTenant) throw tooManyReads()
    if (total >= mostReads) throw readingBusy()
    running.set(tenant, own + 1)
    total += 1
    try {
      return await read()
    } finally {
      leave(tenant)
    }
  }
}

const headers = { 'retry-after': '1' }

export const tooManyReads = (): HttpProblem =>
  new HttpProblem({
    status: 429,
    code: 'too_many_reads',
    detail: `This tenant has ${mostReadsOfTenant} questions under way already; ask again when one is answered.`,
    headers,
  })

export const readingBusy = (): HttpProblem =>
  new HttpProblem({
    status: 503,
    code: 'reading_busy',
    detail: 'Too many questions are under way; ask again in a second. Events are taken in all the same.',
    headers,
  })
