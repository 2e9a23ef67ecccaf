import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'

/** An instant as PostgreSQL prints it. @throws RangeError for text that it would not have printed */
export function instantOf(text: string): Micros1970 {
  const instant = parseInstant(text)
  if (instant === undefined) throw new RangeError(`"${text}" is no instant`)
  return instant
}
