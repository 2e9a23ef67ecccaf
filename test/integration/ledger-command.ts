import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClients } from '@tidemark/aggregator/clients.ts'
import { configSchema } from '@tidemark/aggregator/config.ts'
import { carryOut } from '@tidemark/aggregator/ledger/carry-out.ts'
import { readLedgerOrder } from '@tidemark/aggregator/ledger/ledger-order.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import type { Installation } from '../installation.ts'

const run = promisify(execFile)
const ledgerEntry = fileURLToPath(new URL(import.meta.resolve('@tidemark/aggregator/ledger-command.ts')))

export type Ran = { code: number; out: string; err: string }

/** An argument with spaces is given in quotes. */
export const argumentsOf = (words: string): string[] =>
  [...words.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

/** `npm run ledger -- …` as an operator runs it, in a process of its own. */
export async function spawnLedger({ env }: Pick<Installation, 'env'>, words: string): Promise<Ran> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1_048_576 }
  try {
    const { stdout, stderr } = await run(process.execPath, [ledgerEntry, ...argumentsOf(words)], options)
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error)) throw error
    return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) }
  }
}

/** The same in this process, which is quicker. */
export async function ledgerCommand(
  { env }: Pick<Installation, 'env'>,
  words: string,
  more: Record<string, string> = {},
): Promise<Ran> {
  const config = readConfig(configSchema, { ...env, ...more })
  const log = createLog({ service: 'ledger', level: 'silent', pretty: false })
  const clients = createClients(config, log)
  const lines = { out: '', err: '' }
  const print = (line: string) => {
    lines.out += `${line}\n`
  }
  const tell = (line: string) => {
    lines.err += `${line}\n`
  }
  try {
    const order = readLedgerOrder(argumentsOf(words))
    return { code: await carryOut(order, { ...clients, log, config, print, tell }), ...lines }
  } catch (error) {
    return { code: 1, out: lines.out, err: `${lines.err}${asFailure(error).message}` }
  } finally {
    await clients.close()
  }
}
