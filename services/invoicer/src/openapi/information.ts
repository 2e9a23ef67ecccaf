import type { ServiceInformation } from '@tidemark/infra/openapi/document.ts'

const description = `Catalogue, subscriptions, invoices and payments: from metered usage to money.

Amounts are decimal text in major units. Everything is refused whole or applied whole; all refusals are problem documents
(RFC 9457) with a stable \`code\`, and those of bad input name each field, what is wrong with it and what would be valid.
What two may change at once answers with an \`etag\`: sent back as \`If-Match\`, it keeps a change from overwriting another.
Lists go page by page: \`nextCursor\` is the next page's \`cursor\`, null on the last one.

The tenant follows from the API key alone. \`/livez\`, \`/readyz\` and \`/metrics\` answer without a key.`

export const information: ServiceInformation = {
  title: 'Tidemark invoicer',
  description,
  tags: [
    { name: 'Catalogue', description: 'All of it at once; the seller; exchange rates.' },
    { name: 'Plans and add-ons', description: 'Prices in versions: draft, published, deprecated.' },
    { name: 'Coupons', description: 'Discounts that subscriptions are given.' },
    { name: 'Customers', description: 'Who pays, and which metered keys are theirs.' },
    { name: 'Subscriptions', description: 'Who has which plan, from when until when.' },
    { name: 'Pricing', description: 'What something would cost.' },
    { name: 'Tax', description: 'Who calculates it, and rates of your own.' },
    { name: 'Invoices', description: 'Closing periods, reading invoices, proving them.' },
    { name: 'Payments', description: 'Charging invoices, and what the processor says.' },
  ],
}
