import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { compileEventSchema, type EventSchema } from '@tidemark/schemas/event-schema/event-schema.ts'
import { type Check, type Mismatch, shorten, shown } from '@tidemark/schemas/event-schema/mismatch.ts'
import { eventSchemaFault } from '@tidemark/schemas/event-schema/soundness.ts'
import { type EventFault, eventFault } from '../events/fault-codes.ts'
import type { SchemaVersion } from './schema-store.ts'

/** Whether the data of an event of this type fits every schema that meters of the type carry. */
export type DataCheck = (type: string, data: Json | undefined) => EventFault | undefined

export type KnownSchema = SchemaVersion & { readonly schema: string }

export type EventSchemas = {
  /** Takes up what there is now; what is known already stays compiled. */
  replace(schemas: readonly KnownSchema[]): void
  /** Undefined, which costs nothing more, for a tenant without schemas. */
  of(tenant: string): DataCheck | undefined
}

type Entry = { readonly known: KnownSchema; compiled: Check | undefined }

/** Compiled ones that are kept, each with a few hundred functions; beyond it the oldest is compiled again when needed. */
const mostCompiled = 1_000

/** @param onUnusable hears of a schema that is not sound, although none is taken in that is not: it checks nothing. */
export function createEventSchemas(
  onUnusable: (schema: SchemaVersion, reason: string) => void,
  most = mostCompiled,
): EventSchemas {
  let entries = new Map<string, Entry>()
  let checks = new Map<string, DataCheck>()
  const compiled = new Set<Entry>()

  function compile(entry: Entry): Check {
    const schema: EventSchema = JSON.parse(entry.known.schema)
    const fault = eventSchemaFault(schema)
    if (fault) onUnusable(entry.known, `${fault.field} ${fault.reason}`)
    const check: Check = fault ? () => undefined : compileEventSchema(schema)
    const [oldest] = compiled
    if (oldest && compiled.size >= most) forget(oldest)
    compiled.add(entry)
    entry.compiled = check
    return check
  }

  function forget(entry: Entry): void {
    compiled.delete(entry)
    entry.compiled = undefined
  }

  const checkOf =
    (byType: ReadonlyMap<string, readonly Entry[]>): DataCheck =>
    (type, data) => {
      for (const entry of byType.get(type) ?? none) {
        const found = (entry.compiled ?? compile(entry))(data ?? noData)
        if (found) return dataFault(entry.known, found)
      }
      return undefined
    }

  return {
    replace(schemas) {
      const next = new Map(
        schemas.map((known) => [idOf(known), entries.get(idOf(known)) ?? { known, compiled: undefined }]),
      )
      for (const [id, entry] of entries) if (!next.has(id)) forget(entry)
      entries = next
      const byTenant = Map.groupBy(next.values(), ({ known }) => known.tenant)
      checks = new Map(
        [...byTenant].map(([tenant, own]) => [
          tenant,
          checkOf(Map.groupBy(own, ({ known }) => known.eventType)),
        ]),
      )
    },
    of: (tenant) => checks.get(tenant),
  }
}

const none: readonly Entry[] = []
/** An event without data lacks each field that is required. */
const noData: Json = {}

export const idOf = ({ tenant, key, version }: SchemaVersion): string => `${tenant} ${key} ${version}`

function dataFault({ key, version }: SchemaVersion, { path, expected, found }: Mismatch): EventFault {
  const field = ['data', ...path.map((segment) => shorten(segment))].join('.')
  return eventFault(
    'data_schema',
    field,
    `Meter "${key}", version ${version}: expected ${expected}, found ${shown(found)}.`,
  )
}
