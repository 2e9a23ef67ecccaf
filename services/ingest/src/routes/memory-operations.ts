import {
  answer,
  keyRefusals,
  keyWith,
  type Operation,
  type Refusal,
  refusals,
  serverRefusals,
} from '@tidemark/infra/openapi/operation.ts'
import { Type } from 'typebox'
import { memoryChangeSchema } from './memory.ts'

const switchSchema = Type.Object({
  tenant: Type.String(),
  enabled: Type.Boolean({ description: 'Whether acknowledged ids are remembered.' }),
})
const example = { tenant: 'acme', enabled: true }
const asAdmin = { tags: ['Keys and limits'], ...keyWith('admin') }

const invalid: Refusal = {
  status: 422,
  code: 'invalid_request',
  detail: 'The body is not as expected: enabled must be boolean.',
  extensions: { errors: [{ field: 'enabled', reason: 'must be boolean' }] },
}

const readMemoryOperation: Operation = {
  method: 'GET',
  url: '/v1/memory',
  schema: {
    operationId: 'readMemory',
    summary: 'Whether ids are remembered',
    description:
      'While the acknowledged ids of the tenant are remembered, a repeat is answered as `duplicate` and not published. Off by default.',
    ...asAdmin,
    response: {
      200: answer('As it is now.', switchSchema, example),
      ...refusals(keyRefusals('admin'), serverRefusals),
    },
  },
}

const changeMemoryOperation: Operation = {
  method: 'PUT',
  url: '/v1/memory',
  schema: {
    operationId: 'changeMemory',
    summary: 'Remember ids, or stop',
    description:
      'Holds within a few seconds. It changes no bill, only who finds a duplicate: the answer, or the log later.',
    ...asAdmin,
    body: { ...memoryChangeSchema, examples: [{ enabled: true }] },
    response: {
      200: answer('As it is now.', switchSchema, example),
      ...refusals([invalid], keyRefusals('admin'), serverRefusals),
    },
  },
}

export const memoryOperations: readonly Operation[] = [readMemoryOperation, changeMemoryOperation]
