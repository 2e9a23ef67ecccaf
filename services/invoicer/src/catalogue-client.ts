import { Failure } from '@tidemark/infra/process/failure.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'

export type CatalogueServers = { invoicerUrl: string; aggregatorUrl: string; key: string }

export type CatalogueClient = {
  /**
   * One line per change that the catalogue makes or would make, and lines with what differs; faults when it is refused.
   * Somebody who has changed the catalogue since the revision was told is one, too.
   */
  applyCatalogue(
    body: unknown,
    dryRun: boolean,
    revision?: string,
  ): Promise<
    | { changes: number; lines: string[]; revision: string | undefined }
    | { faults: CatalogueFault[] }
    | { isChangedMeanwhile: true }
  >
  applyMeter(meter: unknown, dryRun: boolean): Promise<{ version: number } | { faults: CatalogueFault[] }>
}

type Answer = { status: number; document: Record<string, unknown>; etag: string | undefined }

const isConflict = ({ status }: Response, { code }: Record<string, unknown>): boolean =>
  status === 409 && code === 'revision_conflict'

const timeoutMs = 60_000

/** The two services that keep a catalogue. @throws Failure when one does not answer or refuses the caller */
export function createCatalogueClient({
  invoicerUrl,
  aggregatorUrl,
  key,
}: CatalogueServers): CatalogueClient {
  async function post(url: string, body: unknown, ifMatch?: string): Promise<Answer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
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
    const isTold = response.status === 422 ? Array.isArray(document.errors) : isConflict(response, document)
    if (response.ok || isTold)
      return { status: response.status, document, etag: response.headers.get('etag') ?? undefined }
    throw new Failure(
      `${url} answered ${response.status}: ${String(document.detail ?? response.statusText)}`,
      {
        code: 'request_refused',
        retryable: false,
      },
    )
  }

  return {
    async applyCatalogue(body, dryRun, revision) {
      const answer = await post(`${invoicerUrl}/v1/catalogue?dryRun=${dryRun}`, body, revision)
      if (answer.status === 409) return { isChangedMeanwhile: true }
      const faults = faultsOf(answer.document)
      if (faults) return { faults }
      const changes = recordsOf(answer.document.changes)
      return { changes: changes.length, lines: changes.flatMap(describeChange), revision: answer.etag }
    },
    async applyMeter(meter, dryRun) {
      const { document } = await post(`${aggregatorUrl}/v1/meters?dryRun=${dryRun}`, meter)
      const faults = faultsOf(document)
      return faults ? { faults } : { version: Number(document.version) }
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

const describeChange = ({ kind, key, change, version, difference }: Record<string, unknown>): string[] => [
  `${kind} ${key}: ${change}${version === undefined ? '' : ` (version ${version})`}`,
  ...recordsOf(difference).map(describeDifference),
]

/** As a patch marks it: + is new, - is gone, ~ is other. */
function describeDifference({ path, before, after }: Record<string, unknown>): string {
  if (before === undefined) return `  + ${path}: ${JSON.stringify(after)}`
  if (after === undefined) return `  - ${path}: ${JSON.stringify(before)}`
  return `  ~ ${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`
}
