import { Failure } from '../process/failure.ts'
import type { AvroSchemaJson, SchemaRegistry } from './client.ts'
import { framedAt, framedSchema } from './framing.ts'

/** What avsc's Type offers, as far as it is needed here. */
export type AvroReader<Value, Writer, Resolver> = {
  createResolver(writer: Writer): Resolver
  fromBuffer(buffer: Buffer, resolver?: Resolver): Value
  /** Where given, reads what lies behind `start`: a view of it costs as much as reading a small record. */
  readFrom?(buffer: Buffer, start: number, resolver: Resolver): Value
}

export type Decoded<Value> = { kind: 'ok'; value: Value } | { kind: 'malformed'; reason: string }

/** The schema of this record has not been met yet: `await resolve(schemaId)` and decode again. */
export type Unresolved = { kind: 'unresolved'; schemaId: number }

export type AvroDecoder<Value> = {
  /** The hot path: no promise per record. */
  decodeSync(value: Buffer | null): Decoded<Value> | Unresolved
  /**
   * Fetches and keeps what is needed to read records written under the schema. Rejects with `registry_unavailable` or
   * `schema_unknown`, both retryable here: the record waits, it is never taken for malformed. `schema_incompatible`
   * is not: what the registry holds cannot be read as what is expected.
   */
  resolve(schemaId: number): Promise<void>
  decode(value: Buffer | null): Promise<Decoded<Value>>
}

export type AvroDecoderOptions<Value, Writer, Resolver> = {
  registry: Pick<SchemaRegistry, 'fetchSchema'>
  /** Today's schema; older and newer writers are resolved to it. */
  readerSchema: AvroReader<Value, Writer, Resolver>
  /** avsc's `Type.forSchema`. */
  parseSchema(schema: AvroSchemaJson): Writer
}

/** Resolvers are kept by schema id: building one costs as much as decoding a hundred records. */
export function createAvroDecoder<Value, Writer, Resolver>(
  options: AvroDecoderOptions<Value, Writer, Resolver>,
): AvroDecoder<Value> {
  const { readerSchema } = options
  const resolvers = new Map<number, Resolver>()
  const pending = new Map<number, Promise<void>>()

  const load = async (schemaId: number): Promise<void> => {
    const schema = await options.registry.fetchSchema(schemaId).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'schema_unknown') throw error
      // Unknown today may be known tomorrow (a registry restored late); a record under it is not the sender's fault.
      throw new Failure(error.message, { code: error.code, retryable: true, cause: error })
    })
    try {
      resolvers.set(schemaId, readerSchema.createResolver(options.parseSchema(schema)))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const text = `records under schema ${schemaId} cannot be read: ${reason}`
      throw new Failure(text, { code: 'schema_incompatible', retryable: false, cause: error })
    }
  }

  const resolve = async (schemaId: number): Promise<void> => {
    if (resolvers.has(schemaId)) return
    const loading = pending.get(schemaId) ?? load(schemaId).finally(() => pending.delete(schemaId))
    pending.set(schemaId, loading)
    await loading
  }

  const read = (value: Buffer, resolver: Resolver): Value =>
    readerSchema.readFrom === undefined
      ? readerSchema.fromBuffer(value.subarray(framedAt), resolver)
      : readerSchema.readFrom(value, framedAt, resolver)

  const decodeSync = (value: Buffer | null): Decoded<Value> | Unresolved => {
    const schemaId = framedSchema(value)
    if (value === null || typeof schemaId === 'string') return { kind: 'malformed', reason: String(schemaId) }
    const resolver = resolvers.get(schemaId)
    if (resolver === undefined) return { kind: 'unresolved', schemaId }
    try {
      return { kind: 'ok', value: read(value, resolver) }
    } catch (error) {
      return { kind: 'malformed', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  return {
    decodeSync,
    resolve,
    async decode(value) {
      const decoded = decodeSync(value)
      if (decoded.kind !== 'unresolved') return decoded
      await resolve(decoded.schemaId)
      const again = decodeSync(value)
      if (again.kind !== 'unresolved') return again
      throw new Failure(`schema ${decoded.schemaId} was not kept`, { code: 'unexpected', retryable: false })
    },
  }
}
