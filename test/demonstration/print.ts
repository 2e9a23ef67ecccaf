/** What a person sees while the demonstration plays. */
export const line = (text = ''): void => console.log(text)

export const heading = (text: string): void => console.log(`\n${text}\n${'─'.repeat(text.length)}`)

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

export const thousands = (count: number | bigint): string => count.toLocaleString('en-US')

/** Runs one step and says how long it took; on a terminal also that it runs. */
export async function step<T>(title: string, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const terminal = process.stdout.isTTY === true
  if (terminal) process.stdout.write(`  … ${title}`)
  try {
    const result = await run()
    finish('✔', `${title} (${seconds(performance.now() - startedAt)})`)
    return result
  } catch (error) {
    finish('✘', title)
    throw error
  }
}

/** A line that is rewritten on a terminal and left out elsewhere. */
export function status(text: string): void {
  if (process.stdout.isTTY === true) process.stdout.write(`\r\x1b[2K  … ${text}`)
}

export function finish(mark: string, text: string): void {
  const erase = process.stdout.isTTY === true ? '\r\x1b[2K' : ''
  process.stdout.write(`${erase}  ${mark} ${text}\n`)
}

/** Columns aligned; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    line(`  ${cells.join('  ')}`)
  }
}
