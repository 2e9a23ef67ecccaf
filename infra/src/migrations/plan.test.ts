import { expect, test } from 'vitest'
import { type MigrationFile, nameFaults, splitStatements } from './migration-file.ts'
import { planMigrations } from './plan.ts'

const file = (name: string): MigrationFile => ({
  name,
  path: `folder/${name}`,
  sql: '',
  sha256: `hash of ${name}`,
})
const applied = (name: string, sha256 = `hash of ${name}`) => ({
  name,
  sha256,
  appliedAt: '2026-01-01T00:00:00.000000Z',
})
const a = '0001-a.sql'
const b = '0002-b.sql'
const c = '0003-c.sql'

test('what is new comes in order, what is applied is left alone', () => {
  expect(planMigrations([file(a), file(b), file(c)], [applied(a)], 'folder')).toEqual([file(b), file(c)])
  expect(planMigrations([file(a)], [applied(a)], 'folder')).toEqual([])
})

test('an edited, a missing and an inserted file are all refused at once, each with what to do', () => {
  const plan = () => planMigrations([file(a), file(b)], [applied(a, 'other'), applied(c)], 'folder')
  expect(plan).toThrow(
    [
      'folder/0001-a.sql was applied on 2026-01-01T00:00:00.000000Z and has been edited since; restore it and put the change into a new file.',
      'folder/0003-c.sql was applied on 2026-01-01T00:00:00.000000Z and is gone; bring the file back.',
      'folder/0002-b.sql is new but sorts before 0003-c.sql, which is applied; give it a number after that.',
    ].join('\n'),
  )
})

test('names need a number of their own', () => {
  expect(nameFaults(['0001-a.sql', '0001-b.sql', 'c.sql'])).toEqual([
    { name: '0001-b.sql', fault: 'has the number of 0001-a.sql; give it the next free one.' },
    { name: 'c.sql', fault: 'needs a name like 0003-billing.sql: four digits, a hyphen, lower case.' },
  ])
})

test('statements end with a semicolon at the end of a line; comments alone are none', () => {
  const sql = "-- first; note\nCREATE TABLE a (b String); \n\nSELECT ';' AS c;\r\n-- the end;\n"
  expect(splitStatements(sql)).toEqual(['-- first; note\nCREATE TABLE a (b String)', "SELECT ';' AS c"])
})
