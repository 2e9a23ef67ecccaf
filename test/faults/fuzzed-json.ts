import type { Random } from '../demonstration/random.ts'

/** Text of numbers that somebody, somewhere, has sent. */
const numbers = [
  ...['0', '-0', '-1', '1.5', '1e3', '1E+2', '1e999', '-1e-999', '9007199254740993', '0.1234567890123456789'],
  ...[
    '12345678901234567890123456789',
    '1.7976931348623157e308',
    '5e-324',
    '1e-7',
    '100000000000000000000000',
  ],
]
const noNumbers = ['NaN', 'Infinity', '-', '01', '1.', '.5', '0x10', '1_000']
const texts = [
  ...[
    '',
    'a',
    '1.0',
    '0',
    'NaN',
    'null',
    'ä',
    '\u0000',
    '\ud800',
    '\udc00',
    '\ufeff',
    '\u2028',
    '😀',
    ' ',
    '\n',
  ],
  ...[
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    "'; DROP TABLE events; --",
    '../../etc/passwd',
  ],
  ...[
    '2026-11-21T12:00:00Z',
    '2026-02-30T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:60Z',
    '2026-11-21',
  ],
]
const names = [
  ...[
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'data',
    'datacontenttype',
    'dataschema',
    'data_base64',
  ],
  ...['tenant', 'tidemarkaction', 'tidemarkrevision', 'traceparent'],
  ...['__proto__', 'constructor', 'prototype', 'valueOf', 'toJSON', '', 'length', 'ID', 'Time'],
]

/** Mostly JSON: some of its numbers are none, and keys come twice. */
export function randomJson(random: Random, depth = 0): string {
  const kind = random.below(depth > 4 ? 4 : 6)
  if (kind === 0) return random.pick(random.below(20) === 0 ? noNumbers : numbers)
  if (kind === 1) return random.pick(['true', 'false', 'null'])
  if (kind === 2 || kind === 3) return randomText(random)
  const items = Array.from({ length: random.below(5) }, () => {
    const value = randomJson(random, depth + 1)
    return kind === 4 ? value : `${JSON.stringify(random.pick(names))}:${value}`
  })
  return kind === 4 ? `[${items.join(',')}]` : `{${items.join(',')}}`
}

function randomText(random: Random): string {
  const text = random.pick(texts)
  const repeated = random.below(40) === 0 ? text.repeat(random.below(2_000)) : text
  // Mostly with escapes, else as the characters themselves, of which JSON forbids some.
  return random.below(4) > 0
    ? JSON.stringify(repeated)
    : `"${repeated.replace(/["\\\n]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}

/** An event that is sound but for what chance changes: nothing, an attribute, or several. */
export function randomEvent(random: Random, id: string): string {
  const event = new Map([
    ['specversion', '"1.0"'],
    ['id', JSON.stringify(id)],
    ['source', '"/fuzz"'],
    ['type', '"api.request"'],
    ['subject', '"customer-1"'],
    ['data', `{"count":${random.below(1_000)}}`],
  ])
  for (let change = random.below(3); change > 0; change -= 1) {
    const name = random.pick(names)
    if (random.below(4) === 0) event.delete(name)
    else event.set(name, randomJson(random, random.below(5)))
  }
  if (random.below(10) === 0) {
    event.set('tidemarkaction', random.pick(['"void"', '"correct"', '"undo"', 'null']))
    event.set(
      'tidemarkrevision',
      random.pick(['1', '2', '"3"', '0', '-1', '1.5', '1e30', '"1e3"', '2147483648', 'null']),
    )
  }
  const members = [...event].map(([name, value]) => `${JSON.stringify(name)}:${value}`)
  if (random.below(20) === 0) members.push(random.pick(members))
  return `{${members.join(',')}}`
}

/** Deeper than any event, in one of the ways that a parser may not expect. */
export function deepJson(random: Random): string {
  const levels = 1 + random.below(random.below(4) === 0 ? 200_000 : 200)
  const [open = '[', close = ']'] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ])
  return open.repeat(levels) + random.pick(numbers) + (random.below(3) === 0 ? '' : close.repeat(levels))
}
