import type { Meter } from '@tidemark/schemas/meter.ts'
import { currencies, formatMicros } from '@tidemark/schemas/money.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { type Environment, urlOf } from './installation.ts'
import type { Played } from './play.ts'
import { heading, line, table, thousands } from './print.ts'
import { differences } from './summary.ts'

/** The result for a person; answers what is not as expected. */
export function report({ outcome, expected }: Played): string[] {
  heading('Result')
  table([
    ['', 'found', 'expected'],
    ...rows('events ', outcome.events, expected.events),
    ...currencies.flatMap((currency) => {
      const found = outcome.invoices.totalMicros[currency]
      const wanted = expected.invoices.totalMicros[currency]
      const text = (micros: string | undefined) =>
        micros === undefined ? '–' : formatMicros(BigInt(micros), currency)
      return found === undefined && wanted === undefined
        ? []
        : [[`revenue ${currency}`, text(found), text(wanted)]]
    }),
    ['invoices', String(outcome.invoices.count), String(expected.invoices.count)],
    ...rows('payments ', outcome.payments, expected.payments),
    ...rows('findings ', outcome.findings, expected.findings),
    ...rows('certificates ', outcome.certificates, expected.certificates),
  ])
  const wrong = differences(outcome, expected)
  line()
  if (wrong.length === 0) line('  Every number agrees with the generator’s own expectation.')
  for (const each of wrong) line(`  ✘ ${each}`)
  return wrong
}

const rows = (group: string, found: Record<string, number>, expected: Record<string, number>): string[][] =>
  Object.entries(expected).map(([name, value]) => [
    group + name,
    thousands(found[name] ?? 0),
    thousands(value),
  ])

/** Commands to go on by hand. */
export function showWays(
  env: Environment,
  tenant: string,
  keyFile: string,
  invoiceId: string | undefined,
): void {
  const database = databaseName(env.TIDEMARK_PREFIX ?? '')
  heading('Go on by hand')
  line(`  Tenant ${tenant}; its admin key is in ${keyFile}:
    KEY=$(cat ${keyFile})`)
  // The demonstration's tenants have this meter already; making it again changes nothing.
  line(`
  Make a meter
    curl -s ${urlOf('aggregator')}/v1/meters -H "Authorization: Bearer $KEY" -H 'content-type: application/json' \\
      -d '${JSON.stringify(exampleMeter)}'
  Send an event
    curl -s ${urlOf('ingest')}/v1/events -H "Authorization: Bearer $KEY" -H 'content-type: application/cloudevents+json' \\
      -d '{"specversion":"1.0","id":"'$(date +%s%N)'","source":"/me","type":"api.request","subject":"${tenant}-002","data":{"status":"ok","region":"eu"}}'
  Ask for usage
    curl -s "${urlOf('aggregator')}/v1/meters/api_calls/usage?window=day&subject=${tenant}-002&from=${day(-1)}&to=${day(1)}" -H "Authorization: Bearer $KEY"
  Count raw events in ClickHouse
    curl -s "${env.CLICKHOUSE_URL}/?database=${database}&user=${env.CLICKHOUSE_USER}&password=${env.CLICKHOUSE_PASSWORD}" \\
      --data 'SELECT type, count() FROM usage_events FINAL GROUP BY type FORMAT PrettyCompact'
  Read invoices in PostgreSQL
    psql ${withDatabase(env.POSTGRES_URL ?? '', database)} -c 'SELECT number, currency, state FROM billing.invoices LIMIT 5'`)
  if (invoiceId !== undefined)
    line(`  Have an invoice proved
    curl -s -X POST ${urlOf('invoicer')}/v1/invoices/${invoiceId}/verify -H "Authorization: Bearer $KEY"`)
  line(`
  ingest ${urlOf('ingest')}   aggregator ${urlOf('aggregator')}   invoicer ${urlOf('invoicer')}   reconciler ${urlOf('reconciler')}
  Each answers /readyz and /metrics. Logs: .local/logs. Ctrl-C stops everything and keeps the data.`)
}

const exampleMeter: Meter = {
  key: 'api_calls',
  eventType: 'api.request',
  aggregation: 'count',
  dimensions: { region: 'region' },
  filters: [{ path: 'status', in: ['ok'] }],
}

/** Midnight UTC, so many days from today. */
const day = (days: number): string =>
  `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`

function withDatabase(url: string, database: string): string {
  const target = new URL(url)
  target.pathname = `/${database}`
  return target.href
}
