import { spawn } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asFailure, Failure } from '../process/failure.ts'
import { defaultStackFolder, logFile } from './places.ts'
import { findRunningStack, serverStates, stopRunningStack } from './running-stack.ts'
import { isServerName, serverNames } from './server.ts'
import { startOrAttach } from './start-or-attach.ts'
import { stackEnvironment } from './start-stack.ts'
import { statusTable } from './status-table.ts'

const usage = `Give one of: up, down, status, reset, logs <${[...serverNames, 'supervisor'].join('|')}>`

const dir = defaultStackFolder(process.env)

async function up(): Promise<void> {
  const stack = await startOrAttach({ dir })
  if (stack.attached) console.log('The stack runs already.')
  const running = await findRunningStack(dir)
  if (running !== undefined) console.log(await statusTable(running))
  console.log('\nAddresses for services and clients:')
  for (const [name, value] of Object.entries(stackEnvironment(stack))) console.log(`  ${name}=${value}`)
  stack.release()
}

async function down(): Promise<void> {
  const wasRunning = await stopRunningStack(dir)
  console.log(wasRunning ? `Stopped. The data stays in ${dir}` : 'No stack is running.')
}

async function status(): Promise<void> {
  const stack = await findRunningStack(dir)
  if (stack === undefined) throw problem(`No stack runs in ${dir}; start it with: npm run stack:up`)
  console.log(await statusTable(stack))
  if ((await serverStates(stack)).some((state) => !state.healthy))
    throw problem('Not every server is healthy; npm run stack:up starts the stack again with its data.')
}

async function reset(): Promise<void> {
  await stopRunningStack(dir)
  const exists = await stat(dir).catch(() => undefined)
  if (exists !== undefined && (await stat(join(dir, 'tidemark-stack')).catch(() => undefined)) === undefined)
    throw problem(`${dir} is not a stack's folder (it holds no file "tidemark-stack"), so it is left alone.`)
  await rm(dir, { recursive: true, force: true })
  console.log(`Stopped, and removed all data in ${dir}`)
}

function logs(name: string | undefined): void {
  if (name === undefined || !(isServerName(name) || name === 'supervisor')) throw problem(usage)
  // On a terminal it follows the log until Ctrl-C, and keeps on when the log is rotated.
  const follow = process.stdout.isTTY ? ['-F'] : []
  const tail = spawn('tail', ['-n', '200', ...follow, logFile(dir, name)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tail.kill(signal))
}

function problem(message: string): Failure {
  return new Failure(message, { code: 'stack.command', retryable: false })
}

async function main([command, name]: string[]): Promise<void> {
  if (command === 'up') return up()
  if (command === 'down') return down()
  if (command === 'status') return status()
  if (command === 'reset') return reset()
  if (command === 'logs') return logs(name)
  throw problem(usage)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(asFailure(error).message)
  process.exitCode = 1
})
