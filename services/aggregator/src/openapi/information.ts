import type { ServiceInformation } from '@tidemark/infra/openapi/document.ts'

const description = `Counts usage: meters, what they measured, and up to which instant that is complete.

Quantities are exact and travel as decimal text. Every answer is as of one **cut** of the log: the same question at the
same cut has the same answer at any time, however late events came and whatever has been summed up since; all pages of a
list read the cut of the first. Refusals are problem documents (RFC 9457) with a stable \`code\`. Every answer carries
\`x-request-id\`, the caller's own if it sent one.

The tenant follows from the API key alone. \`/livez\`, \`/readyz\` and \`/metrics\` answer without a key.`

export const information: ServiceInformation = {
  title: 'Tidemark aggregator',
  description,
  tags: [
    { name: 'Meters', description: 'How events become a quantity.' },
    { name: 'Usage', description: 'What was measured, of whom, when, and what could not be read.' },
  ],
}
