/**
 * Runs a command to its end or to Ctrl-C, whichever comes first, stops what it started, and ends the process with its exit
 * code: 1 and one line for what it throws, 130 when it was interrupted.
 */
export async function runInterruptible(
  command: () => Promise<number>,
  stop: () => Promise<void>,
): Promise<never> {
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(130))
  })
  const finished = command().catch((error: unknown) => {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`)
    return 1
  })
  const code = await Promise.race([finished, interrupted])
  await stop()
  process.exit(code)
}
