import type { UsageAnswer, UsageItem } from './usage-answer.ts'
import type { UsageRequest } from './usage-request.ts'

/** RFC 4180: one line per item, with a header; what is null stays empty. */
export function usageCsv(
  { items }: UsageAnswer,
  { groupBySubject, groupByDimensions }: Pick<UsageRequest, 'groupBySubject' | 'groupByDimensions'>,
): string {
  const fieldsOf = ({ windowStart, windowEnd, subject = '', dimensions = {}, ...item }: UsageItem) => [
    windowStart,
    windowEnd,
    ...(groupBySubject ? [subject] : []),
    ...groupByDimensions.map((name) => dimensions[name] ?? ''),
    item.value ?? '',
    String(item.eventCount),
    String(item.unreadable),
  ]
  const header = [
    'windowStart',
    'windowEnd',
    ...(groupBySubject ? ['subject'] : []),
    ...groupByDimensions,
    'value',
    'eventCount',
    'unreadable',
  ]
  return [header, ...items.map(fieldsOf)].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('')
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
