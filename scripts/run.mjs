// The one door: `npm start`, `npm test`, `npm run check` and `npm run stack:*` come through here. It uses only what
// Node 20 has built in, because it runs before anything is installed; the work itself is done by the package's own
// Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const node = join(modules, 'node', 'bin', 'node')
const env = {
  ...process.env,
  PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
}

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 }

const commands = {
  start: (args) => forward(node, [join(root, 'test', 'demonstration', 'main.ts'), ...args]),
  test: runTests,
  check: runChecks,
  bench: (args) => forward(node, [join(root, 'test', 'benchmarks', 'main.ts'), ...args]),
  faults: (args) => forward(node, [join(root, 'test', 'faults', 'main.ts'), ...args]),
  stack: (args) => forward(node, [join(root, 'infra', 'src', 'stack', 'cli.ts'), ...args]),
}

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command === undefined) {
  console.error(`Unknown command "${name}". Give one of: ${Object.keys(commands).join(', ')}`)
  process.exit(1)
}
checkMachine()
installIfNeeded()
process.exitCode = await command(args)

function checkMachine() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) stop(`Node 20 or later is needed to begin, this is ${process.versions.node}.`)
  const isGlibcLinux =
    process.platform === 'linux' &&
    process.arch === 'x64' &&
    process.report.getReport().header.glibcVersionRuntime !== undefined
  if (!isGlibcLinux && (name === 'start' || name === 'test' || name === 'stack') && !hasOutsideServers())
    stop(
      `The local stack runs on Linux x64 with glibc, this is ${process.platform} ${process.arch}: start the servers` +
        ' with "docker compose -f infra/compose.yaml up --wait" and set the variables named in that file.',
    )
}

function hasOutsideServers() {
  const variables = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'CLICKHOUSE_URL', 'POSTGRES_URL', 'REDIS_URL']
  return variables.every((variable) => process.env[variable])
}

/** Installs when there is nothing, or when the lockfile says something else than what is installed. */
function installIfNeeded() {
  const lockfile = readFileSync(join(root, 'package-lock.json'))
  const stamp = join(modules, '.tidemark-lock-hash')
  const hash = createHash('sha256').update(lockfile).digest('hex')
  if (!(existsSync(stamp) && readFileSync(stamp, 'utf8') === hash)) {
    if (!isInstalled(JSON.parse(lockfile.toString()))) install()
    writeFileSync(stamp, hash)
  }
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (version.status !== 0 || !version.stdout.startsWith('v24.'))
    stop(`The package's Node 24 does not run (${node}). Remove node_modules and try again.`)
}

/** Whether an installation made by hand already has every package of the lockfile at its version. */
function isInstalled(lock) {
  const hidden = join(modules, '.package-lock.json')
  if (!existsSync(hidden)) return false
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') || wanted.link) return true
    const found = installed[path]
    return found === undefined ? wanted.optional === true : found.version === wanted.version
  })
}

function install() {
  const begun = Date.now()
  console.log('Installing the packages of package-lock.json (about 1 GB on disk, once) …')
  // Not `npm ci`: it empties node_modules first, and refuses a lockfile made where the registry lacked packages of
  // other platforms. Without saving, the lockfile stays as it is and still decides every version. Only errors are
  // shown: the warnings say that some packages want a newer Node, which is what they will be run with.
  const args = ['install', '--no-save', '--loglevel=error']
  const npm = spawnSync('npm', args, { cwd: root, stdio: 'inherit' })
  if (npm.status !== 0) stop('npm install failed, see above. Nothing was started.')
  console.log(`Installed in ${seconds(begun)}.`)
}

async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
  const file = join(folder, 'results.json')
  const vitest = join(modules, 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = await forward(node, [vitest, 'run', ...reporters, ...args])
  const { passed, failed } = countTests(file, code)
  rmSync(folder, { recursive: true, force: true })
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : code
}

/** A file that cannot be loaded or a set-up that fails counts as one failure: it must never look like success. */
function countTests(file, code) {
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  const passed = results?.numPassedTests ?? 0
  const brokenFiles = (results?.testResults ?? []).filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = (results?.numFailedTests ?? 0) + brokenFiles.length
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed }
}

async function runChecks() {
  const checks = [
    ['types', ['tsc', '--build']],
    ['lint', ['biome', 'check']],
    ['boundaries', ['turbo', 'boundaries']],
    ['unused code', ['knip']],
  ]
  let failures = 0
  for (const [title, [program, ...args]] of checks) {
    const begun = Date.now()
    const result = spawnSync(join(modules, '.bin', program), args, { cwd: root, env, encoding: 'utf8' })
    const passed = result.status === 0
    if (!passed) console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`.trimEnd())
    console.log(`${passed ? '✔' : '✖'} ${title} (${seconds(begun)})`)
    if (!passed) failures += 1
  }
  return failures === 0 ? 0 : 1
}

/**
 * Runs a program and ends with its exit code. It has a process group of its own, so that one Ctrl-C, which a terminal
 * sends to the whole group and npm passes on once more, reaches it as one signal and it can stop cleanly.
 */
function forward(program, args) {
  const guarded = spawnSync('setpriv', ['--version']).status === 0
  // The kernel then ends the program also when this process is killed outright.
  const [first, ...rest] = guarded ? ['setpriv', '--pdeathsig', 'TERM', program, ...args] : [program, ...args]
  const child = spawn(first, rest, { cwd: root, env, stdio: 'inherit', detached: true })
  let lastSignal = 0
  const pass = (signal) => {
    if (Date.now() - lastSignal < 1000) return
    lastSignal = Date.now()
    child.kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => pass(signal))
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`Could not start ${program}: ${error.message}`)
      resolve(1)
    })
    child.once('exit', (code, signal) => resolve(code ?? exitCodes[signal] ?? 1))
  })
}

function seconds(begun) {
  return `${((Date.now() - begun) / 1000).toFixed(1)} s`
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
