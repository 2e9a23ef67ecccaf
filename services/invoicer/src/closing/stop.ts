import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'

/**
 * A close that must not go on: what would be billed is not what the ledger accepted. Trying again does not mend it; a
 * person must find out why. `evidence` names where it was seen.
 */
export class CloseStopped extends Failure {
  readonly evidence: Json

  constructor(message: string, code: 'ledger_gap' | 'ledger_mismatch' | 'usage_incomplete', evidence: Json) {
    super(message, { code, retryable: false })
    this.name = 'CloseStopped'
    this.evidence = evidence
  }
}
