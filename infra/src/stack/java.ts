import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const oldest = 17

/** The Java to run servers with: JAVA_HOME's if it is set, else the one on the PATH. */
export function javaCommand(env: NodeJS.ProcessEnv): string {
  return env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java'
}

/** What is wrong with this machine's Java, in one line with the command that mends it; nothing if it will do. */
export async function javaFault(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const install = `install it with: apt-get install -y openjdk-${oldest}-jre-headless`
  const command = javaCommand(env)
  const answer = await run(command, ['-version'], { env }).catch(() => undefined)
  if (answer === undefined) return `Java ${oldest} or later is missing (tried "${command}"); ${install}`
  const version = Number(/version "(\d+)/.exec(answer.stderr)?.[1] ?? 0)
  return version < oldest
    ? `Java ${oldest} or later is needed, "${command}" is ${version}; ${install}`
    : undefined
}

export async function mavenFault(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const answer = await run('mvn', ['--version'], { env }).catch(() => undefined)
  if (answer !== undefined) return undefined
  return 'Maven is missing, it fetches Kafka, the schema registry and Redis; install it with: apt-get install -y maven'
}
