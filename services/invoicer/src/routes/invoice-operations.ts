import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import { badRequest, invalidBody, pageOfSchema, unknown, withKey } from '../openapi/refusals.ts'
import { closeBody } from './closing.ts'
import {
  attemptSchema,
  closeSchema,
  invoiceExample,
  invoiceSchema,
  lineExample,
  lineSchema,
  verificationSchema,
} from './invoice-schemas.ts'
import { invoiceParams, listQuery } from './invoices.ts'

const tags = ['Invoices']
const { id } = invoiceExample
const noInvoice = unknown(
  'invoice_unknown',
  `There is no invoice "${id}"; GET /v1/invoices lists those that exist.`,
)
const one = withKey('read', badRequest, noInvoice)
const listed = withKey('read', badRequest)
const charging = withKey('admin', badRequest, noInvoice, {
  status: 409,
  code: 'invoice_not_collectible',
  detail: 'Invoice ACME-000042 is paid; only open and past-due invoices are charged.',
})
const closing = withKey(
  'admin',
  invalidBody,
  {
    status: 409,
    code: 'ledger_mismatch',
    detail: 'The rows of an hour are not those that the ledger accepted; nothing of that period is stored.',
    extensions: { evidence: {} },
  },
  {
    status: 503,
    code: 'not_complete',
    detail:
      '3 periods wait for their usage to be complete: partition 2 is behind. Close again in a moment; nothing of them is stored.',
    extensions: { closed: 0 },
  },
)

export const invoiceOperations: readonly Operation[] = [
  {
    method: 'POST',
    url: '/v1/periods/close',
    schema: {
      operationId: 'closePeriods',
      summary: 'Close periods',
      description:
        'Makes the invoices of all periods that have ended and whose usage is complete; again, it answers the same ones. What is not exactly what was accepted closes nothing.',
      tags,
      security: closing.security,
      body: { ...closeBody, examples: [{ until: '2026-11-01T01:00:00Z', graceSeconds: 600, dryRun: true }] },
      response: {
        200: answer('What was closed, or would be.', closeSchema, {
          dryRun: false,
          closed: 1,
          alreadyClosed: 0,
          invoices: [invoiceExample],
          drafts: [],
          refused: [],
        }),
        ...closing.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/invoices',
    schema: {
      operationId: 'listInvoices',
      summary: 'List invoices',
      description: 'By date of issue; of one customer or in one state if it is named.',
      tags,
      security: listed.security,
      querystring: listQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(invoiceSchema), {
          items: [invoiceExample],
          nextCursor: null,
        }),
        ...listed.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/invoices/:id',
    schema: {
      operationId: 'readInvoice',
      summary: 'Read an invoice',
      description: 'With its lines.',
      tags,
      security: one.security,
      params: invoiceParams,
      response: {
        200: answer(
          'The invoice.',
          Type.Object({ ...invoiceSchema.properties, lines: Type.Array(lineSchema) }),
          { ...invoiceExample, lines: [lineExample] },
        ),
        ...one.refused,
      },
    },
  },
  {
    method: 'GET',
    url: '/v1/invoices/:id/certificate',
    schema: {
      operationId: 'readCertificate',
      summary: 'Read a certificate of completeness',
      description:
        'What the invoice rests on, in the very bytes that `x-tidemark-sha256` is of: cut, counts and hashes of the events, versions of meters and plans, tax answers, version of the code.',
      tags,
      security: one.security,
      params: invoiceParams,
      response: {
        200: answer('Canonical JSON.', Type.Object({}, { description: 'See docs/architecture.md.' }), {}),
        ...one.refused,
      },
    },
  },
  {
    method: 'POST',
    url: '/v1/invoices/:id/verify',
    schema: {
      operationId: 'verifyInvoice',
      summary: 'Prove an invoice anew',
      description:
        'Computes it again from the raw events and the catalogue that its certificate names, and compares everything, byte for byte. The first difference is named.',
      tags,
      security: one.security,
      params: invoiceParams,
      response: {
        200: answer('What came out.', verificationSchema, { verified: true }),
        ...one.refused,
      },
    },
  },
  {
    method: 'POST',
    url: '/v1/invoices/:id/collect',
    schema: {
      operationId: 'collectInvoice',
      summary: 'Charge an invoice',
      description:
        'Charges an open or past-due invoice now and says what became of it. An attempt that is under way is not doubled: its state is the answer. Sent again under its `Idempotency-Key`, it is the same wish.',
      tags: ['Payments'],
      security: charging.security,
      headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 255 })) }),
      params: invoiceParams,
      response: {
        200: answer('The attempt as it is now.', attemptSchema, {
          invoice: { id, number: 'ACME-000042', state: 'paid' },
          attempt: {
            id: 'c6b5f4b8-6f0a-4c9e-9f57-6f4a3c1d2e0f',
            state: 'succeeded',
            amount: '29.00',
            currency: 'USD',
            processorIntentId: 'pi_3',
            declineCode: null,
          },
        }),
        ...charging.refused,
      },
    },
  },
]
