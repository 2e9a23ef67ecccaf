import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ServiceProcess } from '../service-processes.ts'
import { foundCompany } from './company.ts'
import { createTenants } from './foundation-steps.ts'
import {
  bringUpStack,
  localFolder,
  nextDemonstration,
  provision,
  type RunningServers,
  startServices,
  stopServices,
} from './installation.ts'
import { type Played, play } from './play.ts'
import { heading, line, seconds } from './print.ts'
import { report, showWays } from './report.ts'
import type { Summary } from './summary.ts'

const usage = `npm start             the demonstration; everything stays up until Ctrl-C
npm start -- --exit   the demonstration, then stop; exit code 0 only if every number is as expected
npm start -- --empty  everything up with one empty tenant, no demonstration`

const keyFile = join(localFolder, 'admin.key')
const startedAt = performance.now()
const sinceStart = () => performance.now() - startedAt

/** What has to be stopped, in the order in which it came up. */
const running: { stack?: RunningServers; services: ServiceProcess[] } = { services: [] }

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((each) => each !== '--exit' && each !== '--empty')
  if (unknown !== undefined || args.length > 1) {
    line(`${unknown === undefined ? 'Give one of the two' : `Unknown option ${unknown}`}.\n${usage}`)
    return 2
  }
  heading('Servers')
  running.stack = await bringUpStack()
  return args[0] === '--empty' ? empty(running.stack) : demonstrate(running.stack, args[0] === '--exit')
}

async function empty(stack: RunningServers): Promise<number> {
  const env = await provision(stack.env, process.env.TIDEMARK_PREFIX ?? '')
  watch(await startServices(env))
  const key = (await createTenants(env, [{ id: 'local', name: 'Local' }])).get('local') ?? ''
  keepKey(key)
  line(`\n  Admin key of tenant "local": ${key}`)
  showWays(env, 'local', relative(process.cwd(), keyFile), undefined)
  await ctrlC()
  return 0
}

async function demonstrate(stack: RunningServers, exit: boolean): Promise<number> {
  const { number, prefix } = nextDemonstration()
  const now = Date.now() * 1000
  // An account of its own at the processor, and no patience for sides that never come.
  const demo = { STRIPE_SECRET_KEY: `sk_test_tidemark_demo${number}`, RECONCILER_PAIR_WAIT_MS: '10000' }
  const env = await provision({ ...stack.env, ...demo }, prefix)
  watch(await startServices(env))
  const setupMs = sinceStart()
  const tenants = foundCompany(now)
  const played = await play(env, tenants, now)
  const wrong = report(played)
  const totalMs = sinceStart()
  line(
    `\n  Set-up ${seconds(setupMs)}, usage ${seconds(played.ingestMs)}, close ${seconds(played.closeMs)}, all ${seconds(totalMs)}`,
  )
  const first = tenants[0]?.id ?? ''
  keepKey(played.keys.get(first) ?? '')
  if (!exit) {
    showWays(
      env,
      first,
      relative(process.cwd(), keyFile),
      played.invoices.find(({ tenant }) => tenant === first)?.id,
    )
    await ctrlC()
    return 0
  }
  await stop()
  line(JSON.stringify(summaryOf(played, setupMs, totalMs)))
  return wrong.length === 0 ? 0 : 1
}

function summaryOf(
  { outcome, expected, ingestMs, closeMs }: Played,
  setupMs: number,
  totalMs: number,
): Summary {
  const inSeconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10
  return {
    ...outcome,
    expected,
    seconds: {
      setup: inSeconds(setupMs),
      ingest: inSeconds(ingestMs),
      close: inSeconds(closeMs),
      total: inSeconds(totalMs),
    },
  }
}

/** For this machine's own hands only: readable by nobody else, ignored by git. */
function keepKey(key: string): void {
  mkdirSync(localFolder, { recursive: true })
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
}

const ctrlC = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })

const ended = Promise.withResolvers<number>()

/** A service that ends by itself ends the demonstration: without it the numbers would only never come. */
function watch(services: ServiceProcess[]): void {
  running.services = services
  for (const { name, process: child, logFile } of services)
    child.once('exit', (code, signal) => {
      if (running.services !== services) return
      console.error(
        `\n${name} has ended (${signal ?? `exit code ${code}`}): see ${relative(process.cwd(), logFile)}`,
      )
      ended.resolve(1)
    })
}

async function stop(): Promise<void> {
  const { services, stack } = running
  if (services.length === 0 && stack === undefined) return
  line('\nStopping; the data stay.')
  running.services = []
  delete running.stack
  await stopServices(services)
  await stack?.stop()
}

// A person may end it at any moment: what runs is stopped in order all the same.
const interrupted = ctrlC().then(() => 130)
const finished = main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`)
  return 1
})
const code = await Promise.race([finished, interrupted, ended.promise])
await stop()
process.exit(code === 130 ? 0 : code)
