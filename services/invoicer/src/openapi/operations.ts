import type { Operation } from '@tidemark/infra/openapi/operation.ts'
import { catalogueOperations } from '../routes/catalogue-operations.ts'
import { customerOperations } from '../routes/customer-operations.ts'
import { invoiceOperations } from '../routes/invoice-operations.ts'
import { pricingOperation, webhookOperation } from '../routes/other-operations.ts'
import { subscriptionOperations } from '../routes/subscription-operations.ts'
import { taxOperations } from '../routes/tax-operations.ts'
import { unbilledOperation } from '../routes/unbilled-operation.ts'
import { versionOperations } from '../routes/version-operations.ts'

/** Every operation of the reference, in its order. A new route adds its own here. */
export const operations: readonly Operation[] = [
  ...catalogueOperations,
  ...versionOperations,
  ...customerOperations,
  ...subscriptionOperations,
  pricingOperation,
  ...taxOperations,
  ...invoiceOperations,
  unbilledOperation,
  webhookOperation,
]
