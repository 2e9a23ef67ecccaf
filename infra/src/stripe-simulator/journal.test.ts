import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type JournalLine, openJournal } from './journal.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tidemark-journal-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const clock = (aheadMs: number): JournalLine => ({ line: 'clock', aheadMs })

function replayed(): JournalLine[] {
  const lines: JournalLine[] = []
  openJournal(dataDir, (line) => lines.push(line)).close()
  return lines
}

test('gives back what was written, in order', () => {
  const journal = openJournal(dataDir, () => {})
  journal.append(clock(1))
  journal.append(clock(2))
  journal.close()
  expect(replayed()).toEqual([clock(1), clock(2)])
})

test('cuts off the half line of a kill, so that the next line stands alone', () => {
  const first = openJournal(dataDir, () => {})
  first.append(clock(1))
  first.close()
  const path = join(dataDir, 'journal.jsonl')
  appendFileSync(path, '{"line":"clo')
  const second = openJournal(dataDir, () => {})
  second.append(clock(2))
  second.close()
  expect(replayed()).toEqual([clock(1), clock(2)])
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3)
})

test('names the file and the line that is damaged', () => {
  appendFileSync(join(dataDir, 'journal.jsonl'), '{"line":"clock","aheadMs":1}\nnot json\n')
  expect(replayed).toThrow(/Line 2 of .*journal\.jsonl is not JSON/)
})
