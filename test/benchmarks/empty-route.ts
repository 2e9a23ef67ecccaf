import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { answerOrder } from './worker.ts'

export type RouteReport = { port: number }

/** The ceiling of ingest: the same server and the same bodies, parsed, with nothing behind them. */
async function serve(order: { bodyLimitBytes: number }): Promise<RouteReport> {
  const server = createHttpServer({
    log: createLog({ service: 'empty-route', level: 'warn', pretty: false }),
    metrics: createMetrics('empty-route'),
    health: createHealth({ checks: {} }),
    bodyLimitBytes: order.bodyLimitBytes,
  })
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('*', { parseAs: 'string' }, parseJson)
  server.post('/v1/events', async ({ body }, reply) =>
    reply.code(202).send({ accepted: Array.isArray(body) ? body.length : 1 }),
  )
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  return { port: Number(new URL(address).port) }
}

answerOrder(serve)
