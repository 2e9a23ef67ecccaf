/**
 * A small client of the Confluent schema registry API, which Apicurio speaks too. The published client library is not
 * used: it builds the resolver between writer and reader anew for every message (a hundred times slower than decoding
 * with a kept one) and brings three schema languages along; what is needed here is five requests.
 */
import { Failure } from '../process/failure.ts'

export type RegistrySettings = {
  /** Base of the Confluent API, such as http://127.0.0.1:21081/apis/ccompat/v7. */
  url: string
  /** Per request. Default 5,000 ms. */
  timeoutMs?: number
  /** Sent as Authorization where the registry asks for it. */
  authorization?: string
}

/** An Avro schema as parsed JSON. */
export type AvroSchemaJson = Record<string, unknown> | readonly unknown[] | string

export type Compatibility = 'BACKWARD' | 'FORWARD' | 'FULL' | 'NONE'

export type SchemaRegistry = {
  /** Idempotent: the same schema gets the same id. Rejects with `schema_incompatible` where the subject forbids it. */
  registerSchema(subject: string, schema: AvroSchemaJson): Promise<number>
  setCompatibility(subject: string, compatibility: Compatibility): Promise<void>
  /** Rejects with `schema_unknown` where no schema has the id. */
  fetchSchema(id: number): Promise<AvroSchemaJson>
  /** Would the newest version's subject accept the schema? True for a subject without versions. */
  checkCompatibility(subject: string, schema: AvroSchemaJson): Promise<boolean>
  /** Resolves when the registry answers. */
  ping(): Promise<void>
}

type Answer = { status: number; body: unknown }

const mediaType = 'application/vnd.schemaregistry.v1+json'

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined

/** 409 and 422 are the registry's judgement of a schema; 404 of an id; anything else is no answer. */
function refusal(what: string, { status, body }: Answer): Failure {
  const text = `${what}: the schema registry answered ${status}: ${String(field(body, 'message') ?? 'without a message')}`
  if (status === 404) return new Failure(text, { code: 'schema_unknown', retryable: false })
  if (status === 409) {
    const advice = 'add fields only, each with a default'
    return new Failure(`${text}; ${advice}`, { code: 'schema_incompatible', retryable: false })
  }
  if (status === 422 || status === 400) return new Failure(text, { code: 'schema_invalid', retryable: false })
  return new Failure(text, { code: 'registry_unavailable', retryable: true })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function createSchemaRegistry(settings: RegistrySettings): SchemaRegistry {
  const base = settings.url.replace(/\/+$/, '')
  const headers: Record<string, string> = { accept: mediaType, 'content-type': mediaType }
  if (settings.authorization !== undefined) headers.authorization = settings.authorization

  const request = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const signal = AbortSignal.timeout(settings.timeoutMs ?? 5_000)
    try {
      const payload = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(`${base}${path}`, { method, headers, signal, ...payload })
      return { status: response.status, body: parseJson(await response.text()) }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const text = `the schema registry at ${base} does not answer (${reason})`
      throw new Failure(text, { code: 'registry_unavailable', retryable: true, cause: error })
    }
  }

  /** The field `name` of a 200 answer, which must have the given type. */
  const ask = async (what: string, answer: Answer, name: string, type: 'number' | 'string' | 'boolean') => {
    const value = field(answer.body, name)
    if (answer.status !== 200 || typeof value !== type) throw refusal(what, answer)
    return value
  }

  const subjectPath = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`

  return {
    async registerSchema(subject, schema) {
      const answer = await request('POST', `${subjectPath(subject)}/versions`, {
        schema: JSON.stringify(schema),
      })
      return Number(await ask(`registering a schema of ${subject}`, answer, 'id', 'number'))
    },
    async setCompatibility(subject, compatibility) {
      const answer = await request('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility })
      if (answer.status !== 200) throw refusal(`setting the compatibility of ${subject}`, answer)
    },
    async fetchSchema(id) {
      const answer = await request('GET', `/schemas/ids/${id}`)
      const text = String(await ask(`fetching schema ${id}`, answer, 'schema', 'string'))
      // A primitive schema may come as its bare name, which is not JSON.
      const schema = parseJson(text) ?? text
      return typeof schema === 'object' && schema !== null ? { ...schema } : text
    },
    async checkCompatibility(subject, schema) {
      const path = `/compatibility${subjectPath(subject)}/versions/latest`
      const answer = await request('POST', path, { schema: JSON.stringify(schema) })
      if (answer.status === 404) return true
      return Boolean(await ask(`checking a schema of ${subject}`, answer, 'is_compatible', 'boolean'))
    },
    async ping() {
      const answer = await request('GET', '/subjects')
      if (answer.status !== 200) throw refusal('asking for subjects', answer)
    },
  }
}
