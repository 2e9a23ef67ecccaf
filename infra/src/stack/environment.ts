import { Failure } from '../process/failure.ts'
import { postgresUrl } from './postgres.ts'
import { confluentPath } from './registry.ts'
import { type Credentials, type ServerName, type StackSettings, serverNames } from './server.ts'

/** Set one of these and the stack does not start that server but uses the one at that address. */
export const addressVariables: Record<ServerName, string> = {
  kafka: 'KAFKA_BROKERS',
  registry: 'SCHEMA_REGISTRY_URL',
  clickhouse: 'CLICKHOUSE_URL',
  postgres: 'POSTGRES_URL',
  redis: 'REDIS_URL',
  stripe: 'STRIPE_API_URL',
}

/** The servers that this machine's environment does not point elsewhere. */
export function serversToStart(wanted: readonly ServerName[], env: NodeJS.ProcessEnv): ServerName[] {
  return serverNames.filter((name) => wanted.includes(name) && !env[addressVariables[name]])
}

export function localCredentials(env: NodeJS.ProcessEnv): Credentials {
  const user = env.CLICKHOUSE_USER || 'tidemark'
  // The name becomes an XML element and must not be the stripped user that every server has.
  if (!/^[a-z_][a-z0-9_]*$/i.test(user) || user === 'default')
    throw new Failure(
      `CLICKHOUSE_USER is "${user}": use letters, digits and "_", not "default", or unset it for "tidemark".`,
      { code: 'stack.bad_user', retryable: false },
    )
  const ownStripe = !env[addressVariables.stripe]
  return {
    clickhouseUser: user,
    clickhousePassword: env.CLICKHOUSE_PASSWORD || 'tidemark',
    postgresPassword: 'postgres',
    // A real key is never shown to the simulator: it goes only where STRIPE_API_URL says.
    stripeSecretKey: (ownStripe ? '' : env.STRIPE_SECRET_KEY) || 'sk_test_tidemark_local',
    stripeWebhookSecret: (ownStripe ? '' : env.STRIPE_WEBHOOK_SECRET) || 'whsec_tidemark_local',
  }
}

export type StackEnvironment = Record<string, string>

/** The variables by which services and tests find the servers, whether started here or given from outside. */
export function environmentOf(settings: StackSettings, env: NodeJS.ProcessEnv): StackEnvironment {
  const { ports, credentials } = settings
  const own: Record<ServerName, string> = {
    kafka: `127.0.0.1:${ports.kafka}`,
    registry: `http://127.0.0.1:${ports.registry}${confluentPath}`,
    clickhouse: `http://127.0.0.1:${ports.clickhouseHttp}`,
    postgres: postgresUrl(settings),
    redis: `redis://127.0.0.1:${ports.redis}`,
    stripe: `http://127.0.0.1:${ports.stripe}`,
  }
  const addresses = serverNames.map((name) => [
    addressVariables[name],
    env[addressVariables[name]] || own[name],
  ])
  return {
    ...Object.fromEntries(addresses),
    CLICKHOUSE_USER: credentials.clickhouseUser,
    CLICKHOUSE_PASSWORD: credentials.clickhousePassword,
    STRIPE_SECRET_KEY: credentials.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: credentials.stripeWebhookSecret,
  }
}
