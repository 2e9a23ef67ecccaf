import type { Operation } from '@tidemark/infra/openapi/operation.ts'
import { completenessOperation } from '../routes/completeness-operation.ts'
import { meterOperations } from '../routes/meter-operations.ts'
import { usageOperations } from '../routes/usage-operations.ts'

/** Every operation of the reference, in its order. A new route adds its own here. */
export const operations: readonly Operation[] = [
  ...meterOperations,
  ...usageOperations,
  completenessOperation,
]
