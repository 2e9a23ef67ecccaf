import { isUtf8 } from 'node:buffer'
import { headerText } from '@tidemark/infra/kafka/record.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { MarkedRejection } from './rejection.ts'

/** Bytes come from outside: a terminal must not obey them. */
const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )

const oneLine = (text: string, most: number): string => {
  const flat = printable(text).replace(/[\n\t]/g, ' ')
  return flat.length <= most ? flat : `${flat.slice(0, most - 1)}…`
}

const arrivedAt = ({ event }: MarkedRejection): string => formatInstant(event.originTime * 1000)

const stateOf = ({ mark }: MarkedRejection): string =>
  mark === undefined ? 'open' : `${mark.action} ${mark.at} by ${oneLine(mark.by, 60)}`

/** One record in one line, its fields split by tabs. */
export const rejectionLine = (rejection: MarkedRejection): string =>
  [
    rejection.origin,
    arrivedAt(rejection),
    rejection.event.tenant,
    rejection.event.code,
    stateOf(rejection),
    oneLine(rejection.event.reason, 120),
  ].join('\t')

export const rejectionHeading = ['record', 'arrived', 'tenant', 'code', 'state', 'reason'].join('\t')

/** Everything about one record; its bytes as text where they are UTF-8, else in hexadecimal. */
export function rejectionDetails(rejection: MarkedRejection): string {
  const { event, headers } = rejection
  const bytes = event.original
  const attributes = Object.keys(headers).map((name) => `${name}: ${headerText(headers, name) ?? ''}`)
  return [
    `record    ${rejection.origin}`,
    `kept at   ${rejection.place}`,
    `arrived   ${arrivedAt(rejection)}`,
    `tenant    ${event.tenant === '' ? '(the bytes do not tell)' : event.tenant}`,
    `state     ${stateOf(rejection)}`,
    `code      ${event.code}`,
    `reason    ${printable(event.reason)}`,
    ...[`content-type: ${event.contentType}`, ...attributes].map((line) => `header    ${oneLine(line, 500)}`),
    `${bytes.length} bytes, as ${isUtf8(bytes) ? 'text' : 'hexadecimal'}:`,
    isUtf8(bytes) ? printable(bytes.toString('utf8')) : bytes.toString('hex'),
  ].join('\n')
}
