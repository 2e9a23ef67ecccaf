import type { Operation } from '@tidemark/infra/openapi/operation.ts'
import { postEventsOperation } from '../routes/events-operation.ts'
import { openMeterEventsOperation, validateEventsOperation } from '../routes/intake-operations.ts'
import { adminOperations } from '../routes/key-operations.ts'
import { memoryOperations } from '../routes/memory-operations.ts'
import { listEventsOperation, lookupEventOperation } from '../routes/reading-operations.ts'

/** Every operation of the reference, in its order. A new route adds its own here. */
export const operations: readonly Operation[] = [
  postEventsOperation,
  validateEventsOperation,
  openMeterEventsOperation,
  listEventsOperation,
  lookupEventOperation,
  ...adminOperations,
  ...memoryOperations,
]
