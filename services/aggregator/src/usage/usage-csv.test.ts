import { expect, test } from 'vitest'
import { usageCsv } from './usage-csv.ts'

test('one line per item, quoted where commas, quotes or line ends would divide it', () => {
  const windows = { windowStart: '2026-11-01T00:00:00.000000Z', windowEnd: '2026-12-01T00:00:00.000000Z' }
  const answer = {
    meter: 'bytes',
    version: 1,
    from: windows.windowStart,
    to: windows.windowEnd,
    completeUntil: windows.windowEnd,
    cut: '1/0:1',
    items: [
      {
        ...windows,
        subject: 'a,"b"',
        dimensions: { region: 'eu' },
        value: '1.5',
        eventCount: 2,
        unreadable: 0,
      },
      { ...windows, subject: 'c\nd', dimensions: { region: '' }, value: null, eventCount: 1, unreadable: 1 },
    ],
    nextCursor: null,
  }
  const asked = { groupBySubject: true, groupByDimensions: ['region'] }
  expect(usageCsv(answer, asked)).toBe(
    'windowStart,windowEnd,subject,region,value,eventCount,unreadable\r\n' +
      `${windows.windowStart},${windows.windowEnd},"a,""b""",eu,1.5,2,0\r\n` +
      `${windows.windowStart},${windows.windowEnd},"c\nd",,,1,1\r\n`,
  )
})
