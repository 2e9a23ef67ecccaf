import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'

const text = Type.String()

const lineTax = Type.Object({
  id: text,
  rate: text,
  amount: Type.Optional(text),
  reason: Type.Optional(Type.Enum(['reverse_charge', 'exempt', 'not_collecting'])),
})

/** What is read of a certificate: where its inputs are. Everything else in it is recomputed and compared. */
const inputs = Type.Object({
  version: Type.Literal(2),
  invoice: Type.Object({ id: text, number: text, issuedOn: text }),
  kind: Type.Enum(['recurring', 'advance']),
  subscription: text,
  period: Type.Object({ start: text, end: text }),
  cut: text,
  lost: Type.Array(Type.Object({ log: Type.Integer(), partition: Type.Integer(), first: text, last: text })),
  usage: Type.Array(Type.Object({ need: text, meter: text, version: Type.Integer() })),
  /** The provider's answer: nobody can ask for it again. */
  tax: Type.Object({
    provider: text,
    version: text,
    request: text,
    lines: Type.Array(Type.Object({ id: text, taxes: Type.Array(lineTax) })),
  }),
})

export type CertificateInputs = Static<typeof inputs>

const validator = Compile(inputs)

export type StoredCertificate = { document: string; sha256: string }

export async function readCertificate(
  queryable: Queryable,
  tenant: string,
  invoiceId: string,
): Promise<StoredCertificate | undefined> {
  const { rows } = await queryable.query<StoredCertificate>(
    'SELECT document, sha256 FROM billing.certificates WHERE invoice_id = $1 AND tenant = $2',
    [invoiceId, tenant],
  )
  return rows[0]
}

/** Undefined when the document is damaged beyond being read. */
export function parseInputs(document: string): CertificateInputs | undefined {
  try {
    const value: unknown = JSON.parse(document)
    return validator.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
