let silenced = false

/**
 * kafkajs 2.2.4 computes the delay of its throttle check from a time in the past, for which Node 24 prints a
 * TimeoutNegativeWarning. It is harmless and there is nothing to mend outside kafkajs, so this one kind is dropped;
 * every other warning passes.
 */
export function silenceNegativeTimeouts(): void {
  if (silenced) return
  silenced = true
  const emitWarning = process.emitWarning
  process.emitWarning = (...args: [warning: string | Error, ...rest: unknown[]]): void => {
    const kind = args[1]
    if (kind === 'TimeoutNegativeWarning') return
    Reflect.apply(emitWarning, process, args)
  }
}
