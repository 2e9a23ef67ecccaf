import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { asFailure, Failure } from './failure.ts'

/** What is wrong with a command line; the command prints it above its usage. */
export const usageFailure = (message: string): Failure =>
  new Failure(message, { code: 'usage', retryable: false })

/** Words and options as node:util reads them. @throws Failure `usage` for an option that there is not */
export function readCommandLine<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw usageFailure(asFailure(error).message)
  }
}
