import { createServer } from 'node:net'
import { Failure } from '../process/failure.ts'
import { portHolder } from './port-holder.ts'
import { type ServerName, serverTitles } from './server.ts'

export type PortName =
  | 'kafka'
  | 'kafkaController'
  | 'registry'
  | 'clickhouseHttp'
  | 'clickhouseTcp'
  | 'postgres'
  | 'redis'
  | 'stripe'

export type StackPorts = Record<PortName, number>

type PortRule = { server: ServerName; variable: string; standard: number }

// Unusual on purpose, so that the stack runs beside servers on their usual ports; and below 32768, because above it
// Linux may hand the same port to any outgoing connection.
const rules: Record<PortName, PortRule> = {
  kafka: { server: 'kafka', variable: 'TIDEMARK_KAFKA_PORT', standard: 24092 },
  kafkaController: { server: 'kafka', variable: 'TIDEMARK_KAFKA_CONTROLLER_PORT', standard: 24093 },
  registry: { server: 'registry', variable: 'TIDEMARK_REGISTRY_PORT', standard: 24081 },
  clickhouseHttp: { server: 'clickhouse', variable: 'TIDEMARK_CLICKHOUSE_HTTP_PORT', standard: 24123 },
  clickhouseTcp: { server: 'clickhouse', variable: 'TIDEMARK_CLICKHOUSE_TCP_PORT', standard: 24900 },
  postgres: { server: 'postgres', variable: 'TIDEMARK_POSTGRES_PORT', standard: 24432 },
  redis: { server: 'redis', variable: 'TIDEMARK_REDIS_PORT', standard: 24379 },
  stripe: { server: 'stripe', variable: 'TIDEMARK_STRIPE_PORT', standard: 4242 },
}

const portNames: PortName[] = [
  'kafka',
  'kafkaController',
  'registry',
  'clickhouseHttp',
  'clickhouseTcp',
  'postgres',
  'redis',
  'stripe',
]

export function portsOf(server: ServerName, ports: StackPorts): number[] {
  return portNames.filter((name) => rules[name].server === server).map((name) => ports[name])
}

function collectPorts(choose: (name: PortName) => number): StackPorts {
  return {
    kafka: choose('kafka'),
    kafkaController: choose('kafkaController'),
    registry: choose('registry'),
    clickhouseHttp: choose('clickhouseHttp'),
    clickhouseTcp: choose('clickhouseTcp'),
    postgres: choose('postgres'),
    redis: choose('redis'),
    stripe: choose('stripe'),
  }
}

/** The ports of the command line's stack: the standard ones, each replaceable by its variable. */
export function configuredPorts(env: NodeJS.ProcessEnv): StackPorts {
  const faults: string[] = []
  const ports = collectPorts((name) => {
    const { variable, standard } = rules[name]
    const text = env[variable]
    if (text === undefined || text === '') return standard
    const port = Number(text)
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      faults.push(`${variable} is "${text}": give a port from 1 to 65535, or unset it for ${standard}.`)
    return port
  })
  if (faults.length > 0) throw new Failure(faults.join('\n'), { code: 'stack.bad_port', retryable: false })
  return ports
}

/** The variables that make another process choose these ports. */
export function portVariables(ports: StackPorts): Record<string, string> {
  return Object.fromEntries(portNames.map((name) => [rules[name].variable, String(ports[name])]))
}

/** Ports that nobody listens on now, for stacks that must run beside others. */
export async function freePorts(): Promise<StackPorts> {
  const found = new Set<number>()
  while (found.size < portNames.length) {
    // Below the range of outgoing connections, and spread, so that two runs at once hardly meet.
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  const queue = [...found]
  return collectPorts(() => queue.shift() ?? 0)
}

/** Rejects with one line for every port that another process holds. */
export async function assertPortsFree(servers: ServerName[], ports: StackPorts): Promise<void> {
  const lines: string[] = []
  for (const name of portNames.filter((port) => servers.includes(rules[port].server))) {
    const port = ports[name]
    if (await isFree(port)) continue
    const { server, variable } = rules[name]
    const holder = (await portHolder(port)) ?? 'a process of another user'
    lines.push(
      `Port ${port} for ${serverTitles[server]} is taken by ${holder}. End it, or set ${variable} to another port.`,
    )
  }
  if (lines.length > 0) throw new Failure(lines.join('\n'), { code: 'stack.port_taken', retryable: false })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
