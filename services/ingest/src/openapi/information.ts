import type { ServiceInformation } from '@tidemark/infra/openapi/document.ts'

const description = `Takes usage events in, and tells what became of them.

Every answer is true: **202** means that every in-sync replica has the accepted events, **rejected** means never billed
and why, **503** that nothing is acknowledged. All refusals are problem documents (RFC 9457) with a stable \`code\`.
Every answer carries \`x-request-id\`, the caller's own if it sent one.

The tenant follows from the API key alone. \`/livez\`, \`/readyz\` and \`/metrics\` answer without a key.`

export const information: ServiceInformation = {
  title: 'Tidemark ingest',
  description,
  tags: [
    { name: 'Events', description: 'Sending, checking and reading back.' },
    { name: 'Keys and limits', description: 'Who may send for the tenant, and how much per second.' },
  ],
}
