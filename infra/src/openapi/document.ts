import swagger from '@fastify/swagger'
import Fastify, { type FastifySchema } from 'fastify'
import { isRecord } from '../process/record.ts'
import { nameSchemas } from './named-schemas.ts'
import { type Operation, problemSchema } from './operation.ts'

export type OpenApiDocument = Record<string, unknown> & { paths: Record<string, Record<string, unknown>> }

/** What a service says of itself. */
export type ServiceInformation = {
  readonly title: string
  /** Markdown. */
  readonly description: string
  readonly tags: readonly { readonly name: string; readonly description: string }[]
}

const information = ({ title, description, tags }: ServiceInformation) => ({
  openapi: '3.1.0' as const,
  info: { title, version: '1', description },
  servers: [{ url: '/', description: 'This service' }],
  tags: tags.map((tag) => ({ ...tag })),
  components: {
    securitySchemes: {
      apiKey: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'tm_live_… or tm_test_…',
        description: 'An API key, made with `npm run keys -- create`. Scopes: ingest, read, admin (all).',
      },
    },
  },
})

/** The OpenAPI 3.1 document of these operations, made by a server that serves none of them. */
export async function buildOpenApiDocument(
  service: ServiceInformation,
  operations: readonly Operation[],
): Promise<OpenApiDocument> {
  const server = Fastify()
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => JSON.stringify)
  await server.register(swagger, {
    openapi: information(service),
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
  })
  server.addSchema(problemSchema)
  for (const { method, url, schema } of operations)
    server.route({ method, url, schema: withOptionalDefaults(schema), handler: async () => undefined })
  await server.ready()
  const document = server.swagger()
  await server.close()
  // As a client gets it: without what JSON does not have.
  return JSON.parse(JSON.stringify(nameSchemas({ ...document })))
}

/** A parameter with a default is there for the route, and may be left away by the caller. */
function withOptionalDefaults(schema: FastifySchema): FastifySchema {
  const { querystring } = schema
  if (!isRecord(querystring) || !Array.isArray(querystring.required)) return schema
  const { properties } = querystring
  const hasDefault = (name: unknown) => {
    const property = isRecord(properties) ? properties[String(name)] : undefined
    return isRecord(property) && property.default !== undefined
  }
  return {
    ...schema,
    querystring: { ...querystring, required: querystring.required.filter((name) => !hasDefault(name)) },
  }
}
