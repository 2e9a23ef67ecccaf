import swagger from '@fastify/swagger'
import { isRecord } from '@tidemark/infra/process/record.ts'
import Fastify, { type FastifySchema } from 'fastify'
import { type Operation, problemSchema } from './operation.ts'

export type OpenApiDocument = Record<string, unknown> & { paths: Record<string, Record<string, unknown>> }

const description = `Takes usage events in, and tells what became of them.

Every answer is true: **202** means that every in-sync replica has the accepted events, **rejected** means never billed
and why, **503** that nothing is acknowledged. All refusals are problem documents (RFC 9457) with a stable \`code\`.
Every answer carries \`x-request-id\`, the caller's own if it sent one.

The tenant follows from the API key alone. \`/livez\`, \`/readyz\` and \`/metrics\` answer without a key.`

const information = {
  openapi: '3.1.0',
  info: { title: 'Tidemark ingest', version: '1', description },
  servers: [{ url: '/', description: 'This service' }],
  tags: [
    { name: 'Events', description: 'Sending, checking and reading back.' },
    { name: 'Keys and limits', description: 'Who may send for the tenant, and how much per second.' },
  ],
  components: {
    securitySchemes: {
      apiKey: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'tm_live_… or tm_test_…',
        description: 'An API key, made with `npm run keys -- create`. Scopes: ingest, read, admin (all).',
      },
    },
  },
} as const

/** The OpenAPI 3.1 document of these operations, made by a server that serves none of them. */
export async function buildOpenApiDocument(operations: readonly Operation[]): Promise<OpenApiDocument> {
  const server = Fastify()
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => JSON.stringify)
  await server.register(swagger, {
    openapi: structuredClone({
      ...information,
      tags: [...information.tags],
      servers: [...information.servers],
    }),
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
  return JSON.parse(JSON.stringify(document))
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
