import { Failure } from '@tidemark/infra/process/failure.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'

export type CatalogueServers = { invoicerUrl: string; aggregatorUrl: string; key: string }

export type CatalogueClient = {
  /** One line per change that the catalogue makes or would make; faults when it is refused. */
  applyCatalogue(
    body: unknown,
    dryRun: boolean,
  ): Promise<{ changes: string[] } | { faults: CatalogueFault[] }>
  applyMeter(meter: unknown, dryRun: boolean): Promise<{ version: number } | { faults: CatalogueFault[] }>
}

const timeoutMs = 60_000

/** The two services that keep a catalogue. @throws Failure when one does not answer or refuses the caller */
export function createCatalogueClient({
  invoicerUrl,
  aggregatorUrl,
  key,
}: CatalogueServers): CatalogueClient {
  async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: unknown) => {
      throw new Failure(`${new URL(url).origin} does not answer; is the service running (npm start)?`, {
        code: 'service_unreachable',
        retryable: true,
        cause,
      })
    })
    const answer: unknown = await response.json().catch(() => undefined)
    const document = isRecord(answer) ? answer : {}
    if (response.ok || (response.status === 422 && Array.isArray(document.errors))) return document
    throw new Failure(
      `${url} answered ${response.status}: ${String(document.detail ?? response.statusText)}`,
      {
        code: 'request_refused',
        retryable: false,
      },
    )
  }

  return {
    async applyCatalogue(body, dryRun) {
      const answer = await post(`${invoicerUrl}/v1/catalogue?dryRun=${dryRun}`, body)
      const faults = faultsOf(answer)
      if (faults) return { faults }
      return { changes: recordsOf(answer.changes).map(describeChange) }
    },
    async applyMeter(meter, dryRun) {
      const answer = await post(`${aggregatorUrl}/v1/meters?dryRun=${dryRun}`, meter)
      const faults = faultsOf(answer)
      return faults ? { faults } : { version: Number(answer.version) }
    },
  }
}

const recordsOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : []

/** The aggregator names a field where the invoicer names a path: `filters.0.in` there, `filters[0].in` here. */
function faultsOf(answer: Record<string, unknown>): CatalogueFault[] | undefined {
  if (!Array.isArray(answer.errors)) return undefined
  return recordsOf(answer.errors).map(({ path, field, reason }) => ({
    path: path === undefined ? fieldPath(String(field)) : String(path),
    reason: String(reason),
  }))
}

const fieldPath = (field: string): string => (field === 'body' ? '' : field.replaceAll(/\.(\d+)/g, '[$1]'))

const describeChange = ({ kind, key, change, version }: Record<string, unknown>): string =>
  `${kind} ${key}: ${change}${version === undefined ? '' : ` (version ${version})`}`
