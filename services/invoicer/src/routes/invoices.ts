import type { Principals } from '@tidemark/infra/access/principals.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { readInvoice } from '../invoices/invoice.ts'
import { readLines } from '../invoices/lines.ts'
import { listInvoices } from '../invoices/list-store.ts'
import { showInvoice, showLine } from '../invoices/show.ts'
import { invoiceStates } from '../invoices/states.ts'
import type { VerifyDeps } from '../verification/recompute.ts'
import { readCertificate } from '../verification/stored-certificate.ts'
import { verifyInvoice } from '../verification/verify.ts'
import { pageOf, pageParameters, wrongCursor } from './pages.ts'

const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
export const invoiceParams = Type.Object({
  id: Type.String({
    pattern: `^${uuid}$`,
    description: 'The id of an invoice, as GET /v1/invoices lists it',
  }),
})
export const listQuery = Type.Object(
  {
    ...pageParameters,
    cursor: Type.String({
      default: '',
      pattern: `^(\\d{4}-\\d\\d-\\d\\d_${uuid})?$`,
      description: 'The nextCursor of the page before',
    }),
    state: Type.Optional(Type.Enum([...invoiceStates])),
    customer: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  { additionalProperties: false },
)

/** Invoices, their certificates, and proving them anew. */
export function addInvoiceRoutes(server: FastifyInstance, deps: VerifyDeps, principals: Principals): void {
  const { pool } = deps
  const reading = { onRequest: principals.require('read') }
  const one = { ...reading, schema: { params: invoiceParams } }

  server.get<{ Querystring: Static<typeof listQuery> }>(
    '/v1/invoices',
    { ...reading, schema: { querystring: listQuery } },
    async (request) => {
      const { cursor, limit, state, customer } = request.query
      const [issuedOn = '', id = ''] = cursor.split('_')
      const found = await listInvoices(pool, principals.of(request).tenant, {
        state,
        customer,
        after: cursor === '' ? undefined : { issuedOn: issueDate(issuedOn), id },
        limit: limit + 1,
      })
      return pageOf(found, limit, (invoice) => `${invoice.issuedOn}_${invoice.id}`, showInvoice)
    },
  )

  server.get<{ Params: Static<typeof invoiceParams> }>('/v1/invoices/:id', one, async (request) => {
    const invoice = await readInvoice(pool, principals.of(request).tenant, request.params.id)
    if (!invoice) throw unknownInvoice(request.params.id)
    const lines = await readLines(pool, invoice)
    return { ...showInvoice(invoice), lines: lines.map((line) => showLine(line, invoice)) }
  })

  server.get<{ Params: Static<typeof invoiceParams> }>(
    '/v1/invoices/:id/certificate',
    one,
    async (request, reply) => {
      const certificate = await readCertificate(pool, principals.of(request).tenant, request.params.id)
      if (!certificate) throw unknownInvoice(request.params.id)
      // The very bytes that the hash is of, not another serialization of them.
      return reply
        .type('application/json')
        .header('x-tidemark-sha256', certificate.sha256)
        .send(certificate.document)
    },
  )

  server.post<{ Params: Static<typeof invoiceParams> }>('/v1/invoices/:id/verify', one, async (request) => {
    const verification = await verifyInvoice(deps, principals.of(request).tenant, request.params.id)
    if (!verification) throw unknownInvoice(request.params.id)
    return verification
  })
}

/** The pattern lets through dates that no calendar has. */
function issueDate(text: string): string {
  if (parseInstant(`${text}T00:00:00Z`) !== undefined) return text
  throw wrongCursor()
}

const unknownInvoice = (id: string): HttpProblem =>
  new HttpProblem({
    status: 404,
    code: 'invoice_unknown',
    detail: `There is no invoice "${id}"; GET /v1/invoices lists those that exist.`,
  })
