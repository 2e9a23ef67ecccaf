import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventFaultTexts, recordFaultTexts, requestFaultTexts } from './fault-codes.ts'

const page = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8')
const codesSection = page.slice(page.indexOf('## Codes'))
const documented = [...codesSection.matchAll(/^\| `([a-z0-9_]+)` +\|/gm)].map(([, code]) => code)

test('docs/events.md explains every code, once, and no other', () => {
  const codes = Object.keys({ ...eventFaultTexts, ...recordFaultTexts, ...requestFaultTexts })
  expect(documented.sort()).toEqual(codes.sort())
})
