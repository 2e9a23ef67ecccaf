export const invoiceStates = ['draft', 'open', 'paid', 'past_due', 'void', 'uncollectible'] as const
export type InvoiceState = (typeof invoiceStates)[number]

/** Every legal transition; all others are refused. */
const transitions: Record<InvoiceState, readonly InvoiceState[]> = {
  draft: ['open'],
  open: ['paid', 'past_due', 'void', 'uncollectible'],
  past_due: ['paid', 'void', 'uncollectible'],
  uncollectible: ['paid'],
  paid: [],
  void: [],
}

/** The states from which one may be entered: the condition of every update. */
export const statesBefore = (state: InvoiceState): InvoiceState[] =>
  invoiceStates.filter((before) => transitions[before].includes(state))
