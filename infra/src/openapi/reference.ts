import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { OpenApiDocument } from './document.ts'

/** The page runs its own files only and talks to this service only. */
const contentSecurityPolicy = {
  'default-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  // The page sets styles of elements; no script is inline.
  'style-src': ["'self'", "'unsafe-inline'"],
  'object-src': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** `GET /openapi.json`, and the reference to browse at `GET /docs`, which needs nothing from elsewhere. */
export function addReference(server: FastifyInstance, title: string, document: OpenApiDocument): void {
  const text = JSON.stringify(document)
  server.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(text))
  server.register(async (scope) => {
    await scope.register(swagger, { mode: 'static', specification: { document: JSON.parse(text) } })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: Object.fromEntries(
        Object.entries(contentSecurityPolicy).map(([name, sources]) => [name, sources.join(' ')]),
      ),
      theme: { title },
      uiConfig: {
        validatorUrl: null,
        layout: 'BaseLayout',
        deepLinking: true,
        displayRequestDuration: true,
      },
    })
  })
}
