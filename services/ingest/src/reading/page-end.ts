import type { Micros1970 } from '@tidemark/schemas/instant.ts'

/** Where an event stands in a list by time; its offset decides between equal times. */
export type EventPlace = {
  readonly time: Micros1970
  readonly log: number
  readonly partition: number
  readonly offset: number
}

/** The range of a list, and the last event of a page of it. */
export type PageEnd = { readonly from: Micros1970; readonly to: Micros1970; readonly last: EventPlace }

/** @param question one text for one question, whatever page of it is asked for */
export const formatPageEnd = ({ from, to, last }: PageEnd, question: string): string =>
  Buffer.from(
    JSON.stringify([question, from, to, last.time, last.log, last.partition, last.offset]),
  ).toString('base64url')

/** Undefined when the text is no cursor, or one of another question. */
export function parsePageEnd(text: string, question: string): PageEnd | undefined {
  const parsed = parse(text)
  if (!Array.isArray(parsed) || parsed[0] !== question) return undefined
  const numbers = parsed.slice(1).filter(isWhole)
  const [from, to, time, log, partition, offset] = numbers
  if (numbers.length !== 6 || parsed.length !== 7) return undefined
  if (from === undefined || to === undefined || time === undefined) return undefined
  if (log === undefined || partition === undefined || offset === undefined) return undefined
  if (log > 65_535 || partition > 65_535) return undefined
  return { from, to, last: { time, log, partition, offset } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
