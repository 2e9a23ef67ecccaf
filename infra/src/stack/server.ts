import type { StackPorts } from './ports.ts'

export const serverNames = ['kafka', 'registry', 'clickhouse', 'postgres', 'redis', 'stripe'] as const

export type ServerName = (typeof serverNames)[number]

export function isServerName(text: string): text is ServerName {
  return serverNames.some((name) => name === text)
}

export const serverTitles: Record<ServerName, string> = {
  kafka: 'Kafka',
  registry: 'Schema registry',
  clickhouse: 'ClickHouse',
  postgres: 'PostgreSQL',
  redis: 'Redis',
  stripe: 'Stripe simulator',
}

/** Passwords and keys of the servers that this stack starts; they guard nothing but local data. */
export type Credentials = {
  clickhouseUser: string
  clickhousePassword: string
  postgresPassword: string
  stripeSecretKey: string
  stripeWebhookSecret: string
}

/** All that one server's file needs to know; it crosses to the supervisor as JSON. */
export type StackSettings = {
  folder: string
  /** The folder goes when the stack stops. */
  temporary: boolean
  programs: string
  ports: StackPorts
  servers: ServerName[]
  credentials: Credentials
  /** Where the Stripe simulator sends its webhooks. */
  stripeWebhookUrls: string[]
}

export type Program = {
  command: string
  args: string[]
  env?: Record<string, string>
  /** Run as this user: PostgreSQL refuses to run as root. */
  user?: { uid: number; gid: number } | undefined
}

export type Server = {
  name: ServerName
  /** Makes folders, configuration files and, the first time, an empty data folder. Safe to repeat after kill -9. */
  prepare(): Promise<void>
  program(): Promise<Program>
  /** Asks the server itself; rejects with what it answered while it is not ready to serve. */
  probe(): Promise<void>
  stopSignal: NodeJS.Signals
}
