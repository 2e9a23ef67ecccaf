import Fastify from 'fastify'
import { answerOrder } from './worker.ts'

export type RouteReport = { port: number }

/** The ceiling of ingest: a bare Fastify with the same bodies, parsed, and nothing around or behind them. */
async function serve(order: { bodyLimitBytes: number }): Promise<RouteReport> {
  const server = Fastify({ bodyLimit: order.bodyLimitBytes })
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('*', { parseAs: 'string' }, parseJson)
  server.post('/v1/events', async ({ body }, reply) =>
    reply.code(202).send({ accepted: Array.isArray(body) ? body.length : 1 }),
  )
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  return { port: Number(new URL(address).port) }
}

answerOrder(serve)
