import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'

const modules = new URL('.', import.meta.url).href

/** Runs a service in a process of its own, for signals and exit codes belong to processes. */
async function runTrial(
  body: string,
  onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const program = `
    import { createLog } from '${modules}log.ts'
    import { runService } from '${modules}service.ts'
    import { Failure } from '${modules}failure.ts'
    const log = createLog({ service: 'trial', level: 'info', pretty: false })
    const component = (name, start = () => {}, stop = () => {}) =>
      ({ name, start, stop: async () => { log.info('stop ' + name); await stop() } })
    ${body}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    onLine(text, (signal) => child.kill(signal))
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.on('close', resolve)
  const code = await promise
  const entries: { msg: string; level: string }[] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { code, messages: entries.map(({ msg }) => msg), levels: entries.map(({ level }) => level) }
}

const idle = '() => { setInterval(() => {}, 1000) }'

test('a signal stops the components in reverse and the exit code is 0', async () => {
  const { code, messages } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 5000,
       start: () => [component('pool', ${idle}), component('server')] })`,
    (line, kill) => line.includes('has started') && kill('SIGTERM'),
  )
  expect(messages).toEqual([
    'trial has started',
    'trial stops',
    'stop server',
    'stop pool',
    'trial has stopped',
  ])
  expect(code).toBe(0)
})

test('one Ctrl-C that arrives several times is one', async () => {
  const { code, messages } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 5000,
       start: () => [component('pool', ${idle}, () => new Promise((resolve) => setTimeout(resolve, 100)))] })`,
    (line, kill) => {
      if (line.includes('has started')) kill('SIGINT')
      if (line.includes('stop pool')) kill('SIGTERM')
    },
  )
  expect(messages.slice(1)).toEqual(['trial stops', 'stop pool', 'trial has stopped'])
  expect(code).toBe(0)
})

test('a failing start stops what was started, says so in one line and exits with 1', async () => {
  const { code, messages, levels } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 5000, start: () => [component('pool', ${idle}),
       component('kafka', () => { throw new Failure('no broker at 127.0.0.1:1', { code: 'unreachable', retryable: true }) })] })`,
  )
  expect(messages).toEqual([
    'stop pool',
    'trial could not start: kafka did not start: no broker at 127.0.0.1:1',
  ])
  expect(levels.at(-1)).toBe('error')
  expect(code).toBe(1)
})

test('a fatal failure at run time is logged, stops everything and exits with 1', async () => {
  const { code, messages } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 5000, start: (fatal) => [component('consumer', () => {
       setTimeout(() => fatal(new Failure('a gap at offset 7', { code: 'gap', retryable: false })), 10) })] })`,
  )
  expect(messages).toContain('trial cannot go on and stops')
  expect(messages.slice(-2)).toEqual(['stop consumer', 'trial has stopped'])
  expect(code).toBe(1)
})

test('an uncaught error stops the service like a fatal one', async () => {
  const { code, messages } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 5000,
       start: () => [component('pool', () => { setTimeout(() => { throw new Error('unforeseen') }, 10) })] })`,
  )
  expect(messages).toContain('trial failed and stops')
  expect(messages).toContain('stop pool')
  expect(code).toBe(1)
})

test('a stop that hangs ends at the deadline with exit code 1', async () => {
  const { code, messages } = await runTrial(
    `await runService({ name: 'trial', log, shutdownTimeoutMs: 100,
       start: () => [component('pool', ${idle}, () => new Promise(() => {}))] })`,
    (line, kill) => line.includes('has started') && kill('SIGINT'),
  )
  expect(messages.at(-1)).toBe('trial did not stop in time and is ended')
  expect(code).toBe(1)
})
