import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { customerSchema } from '@tidemark/schemas/customer.ts'
import {
  badRequest,
  ifMatch,
  invalidCatalogue,
  pageOfSchema,
  revised,
  revisionConflict,
  unknown,
  withKey,
} from '../openapi/refusals.ts'
import { applied, customerExample, subjectExample } from './catalogue-examples.ts'
import { applyResultSchema, listedSubjectSchema } from './catalogue-schemas.ts'
import { applyQuery } from './catalogue-writing.ts'
import { customerParams, listQuery, subjectsQuery } from './customers.ts'

const tags = ['Customers']
const writer = withKey('admin', badRequest, revisionConflict, invalidCatalogue)
const reader = withKey('read', badRequest)
const noCustomer = unknown(
  'customer_unknown',
  'There is no customer "nobody"; GET /v1/customers lists those that exist.',
)

const write = (example: unknown) => ({
  tags,
  security: writer.security,
  querystring: applyQuery,
  headers: ifMatch,
  body: { ...customerSchema, examples: [customerExample] },
  response: { 200: revised('What changed, or would change.', applyResultSchema, example), ...writer.refused },
})

export const customerOperations: readonly Operation[] = [
  {
    method: 'GET',
    url: '/v1/customers',
    schema: {
      operationId: 'listCustomers',
      summary: 'List customers',
      description: 'All of the tenant with their subjects, by key.',
      tags,
      security: reader.security,
      querystring: listQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(customerSchema), {
          items: [customerExample],
          nextCursor: 'acme',
        }),
        ...reader.refused,
      },
    },
  },
  {
    method: 'POST',
    url: '/v1/customers',
    schema: {
      operationId: 'applyCustomer',
      summary: 'Create or change a customer',
      description:
        'Sets a customer whole; the list of subjects is all of them. The first invoice fixes the currency; the time zone and the subjects of billed times stay as they were billed.',
      ...write(applied('customer', 'acme')),
    },
  },
  {
    method: 'GET',
    url: '/v1/customers/:key',
    schema: {
      operationId: 'readCustomer',
      summary: 'Read a customer',
      description: 'With all subjects, and the revision in the etag.',
      tags,
      security: reader.security,
      params: customerParams,
      response: {
        200: revised('The customer.', customerSchema, customerExample),
        ...withKey('read', badRequest, noCustomer).refused,
      },
    },
  },
  {
    method: 'PUT',
    url: '/v1/customers/:key',
    schema: {
      operationId: 'setCustomer',
      summary: 'Set a customer',
      description: 'As POST, under the key of the address.',
      ...write(applied('customer', 'acme', 'changed: name')),
      params: customerParams,
    },
  },
  {
    method: 'GET',
    url: '/v1/subjects',
    schema: {
      operationId: 'listSubjects',
      summary: 'List subjects',
      description: 'Whose a metered key is, over half-open times; of one customer or one key if it is named.',
      tags,
      security: reader.security,
      querystring: subjectsQuery,
      response: {
        200: answer('A page of them.', pageOfSchema(listedSubjectSchema), {
          items: [subjectExample],
          nextCursor: null,
        }),
        ...reader.refused,
      },
    },
  },
]
