import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../process/failure.ts'
import type { Change, KeptAnswer } from './accounts.ts'

export type Endpoint = { url: string; secret: string; account: string | null }

/** One line is one decision with everything that follows from it, so that a kill leaves all of it or nothing. */
export type JournalLine =
  | { line: 'call'; account: string; changes: Change[]; answer: KeptAnswer | null }
  | { line: 'delivery'; event: string; url: string; result: 'delivered' | 'lost' | 'abandoned' }
  | { line: 'clock'; aheadMs: number }
  | { line: 'endpoints'; endpoints: Endpoint[] }

export type Journal = {
  append(line: JournalLine): void
  close(): void
}

/**
 * Opens the append-only journal of JSON lines and hands every line that it holds to `replay`. A line is written
 * before its request is answered and is not synced to the disk: it survives kill -9, not a power cut.
 */
export function openJournal(dataDir: string, replay: (line: JournalLine) => void): Journal {
  mkdirSync(dataDir, { recursive: true })
  const path = join(dataDir, 'journal.jsonl')
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  // A kill in the middle of a write leaves half a line: its request was never answered, so it is cut off.
  const complete = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
  const texts = complete.toString('utf8').split('\n').slice(0, -1)
  for (const [index, text] of texts.entries()) replay(parse(text, path, index + 1))
  const file = openSync(path, 'a')
  if (complete.length < bytes.length) ftruncateSync(file, complete.length)
  return {
    append: (line) => {
      writeSync(file, `${JSON.stringify(line)}\n`)
    },
    close: () => closeSync(file),
  }
}

function parse(text: string, path: string, number: number): JournalLine {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(
      `Line ${number} of ${path} is not JSON. Restore the file, or delete its folder to begin without state.`,
      { code: 'stripe_simulator_journal_damaged', retryable: false, cause },
    )
  }
}
