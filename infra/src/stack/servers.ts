import { clickhouseServer } from './clickhouse.ts'
import { kafkaServer } from './kafka.ts'
import { postgresServer } from './postgres.ts'
import { redisServer } from './redis.ts'
import { registryServer } from './registry.ts'
import type { Server, ServerName, StackSettings } from './server.ts'
import { stripeServer } from './stripe-simulator.ts'

const makers: Record<ServerName, (settings: StackSettings) => Server> = {
  kafka: kafkaServer,
  registry: registryServer,
  clickhouse: clickhouseServer,
  postgres: postgresServer,
  redis: redisServer,
  stripe: stripeServer,
}

export function serverOf(name: ServerName, settings: StackSettings): Server {
  return makers[name](settings)
}
