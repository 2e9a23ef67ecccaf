import { finish } from '../../demonstration/print.ts'
import { type Figure, figureOf } from '../figure.ts'
import type { UsageClient } from './usage-client.ts'
import { dataSet } from './usage-data-set.ts'

export type QueryRange = { from: string; to: string }

const subjectQueries = 300
const tenantQueries = 100
const warmUps = 10
const clients = 50
const queriesPerClient = 10

const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? 0
const subjectOf = (serial: number): string =>
  `customer-${String((serial * 7) % dataSet.subjects).padStart(4, '0')}`

/** A month of one subject, of all, of unique values, and of many askers at once; each figure is the p99. */
export async function measureQueries(
  client: UsageClient,
  { from, to }: QueryRange,
  suffix: string,
): Promise<Figure[]> {
  const range = `from=${from}&to=${to}&window=day`
  const subjectMonth = (serial: number) => `/v1/meters/bytes/usage?${range}&subject=${subjectOf(serial)}`
  const figures: Figure[] = []
  const take = async (
    name: string,
    count: number,
    limit: number | undefined,
    path: (at: number) => string,
  ) => {
    const times: number[] = []
    for (let at = 0; at < count; at += 1) times.push(await client.time(path(at)))
    figures.push(p99Figure(`${name}_${suffix}`, times, limit))
  }
  const tenantMonth = () => `/v1/meters/bytes/usage?${range}&groupBy=subject&limit=10000`
  const uniqueMonth = (serial: number) => `/v1/meters/users/usage?${range}&subject=${subjectOf(serial)}`
  // The first of each kind open connections, fill caches and are compiled, for all that follow.
  for (let at = 0; at < warmUps; at += 1)
    for (const path of [subjectMonth, tenantMonth, uniqueMonth]) await client.time(path(at))
  await take('subject_month', subjectQueries, 20, subjectMonth)
  await take('tenant_month', tenantQueries, 100, tenantMonth)
  await take('unique_month', tenantQueries, 100, uniqueMonth)

  const startedAt = performance.now()
  const many = await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const times: number[] = []
      for (let at = 0; at < queriesPerClient; at += 1)
        times.push(await client.time(subjectMonth(index * queriesPerClient + at)))
      return times
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  figures.push(p99Figure(`subject_month_50_clients_${suffix}`, many.flat(), undefined))
  figures.push(
    figureOf(`subject_month_50_clients_rate_${suffix}`, 'queries/s', [
      (clients * queriesPerClient) / seconds,
    ]),
  )
  return figures
}

function p99Figure(name: string, times: readonly number[], limit: number | undefined): Figure {
  const sorted = [...times].sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0
  finish('✔', `${name}: p50 ${median(sorted).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  const latenciesMicros = times.map((ms) => ms * 1_000)
  return figureOf(name, 'ms p99', [p99], { ...(limit === undefined ? {} : { limit }), latenciesMicros })
}
