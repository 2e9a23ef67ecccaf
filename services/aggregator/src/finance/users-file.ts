import { Failure } from '@tidemark/infra/process/failure.ts'
import { fieldErrors } from '@tidemark/infra/process/field-errors.ts'
import { tenantIdPattern } from '@tidemark/schemas/identifiers.ts'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'

const userSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$' }),
    /** One tenant's id, or `*` for all of them. */
    tenant: Type.String({ pattern: `^[*]$|${tenantIdPattern}` }),
    passwordSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    networks: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9a-f.:]{2,39}(/\\d{1,3})?$' }), { minItems: 1, maxItems: 100 }),
    ),
  },
  { additionalProperties: false },
)

const limitsSchema = Type.Object(
  {
    seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600 })),
    memoryBytes: Type.Optional(Type.Integer({ minimum: 10_000_000 })),
    rowsRead: Type.Optional(Type.Integer({ minimum: 1_000 })),
    rowsAnswered: Type.Optional(Type.Integer({ minimum: 1 })),
    queriesAtOnce: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  { additionalProperties: false },
)

const fileSchema = Type.Object(
  { users: Type.Array(userSchema, { maxItems: 10_000 }), limits: Type.Optional(limitsSchema) },
  { additionalProperties: false },
)

export type FinanceUser = Static<typeof userSchema>
export type FinanceLimits = Required<Static<typeof limitsSchema>>
export type FinanceUsers = { readonly users: readonly FinanceUser[]; readonly limits: FinanceLimits }

/** Of one query, but for the last: enough for a year of a large tenant by day, too little to starve the services. */
export const defaultLimits: FinanceLimits = {
  seconds: 60,
  memoryBytes: 2_000_000_000,
  rowsRead: 500_000_000,
  rowsAnswered: 1_000_000,
  queriesAtOnce: 8,
}

const validator = Compile(fileSchema)

/** Reads the file that says who may read the finance views. @throws Failure `finance_users_invalid` with every fault */
export function readFinanceUsers(text: string): FinanceUsers {
  const value = parse(text)
  if (!validator.Check(value)) throw invalid(validator.Errors(value).flatMap(reasons))
  const names = value.users.map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (twice.length > 0) throw invalid(twice.map((name) => `users: "${name}" stands there twice`))
  return { users: value.users, limits: { ...defaultLimits, ...value.limits } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid([`it is no JSON: ${error instanceof Error ? error.message : String(error)}`])
  }
}

const help: Record<string, string> = {
  name: 'a name is 1 to 32 of a-z, 0-9 and "_", the first a letter',
  tenant: "give a tenant's id, or * for all tenants",
  passwordSha256: 'give the SHA-256 of the password, 64 of 0-9 and a-f',
}

const reasons = (error: unknown): string[] =>
  fieldErrors([error], 'the file').map(({ field, reason }) => {
    const said = help[field.split('.').at(-1) ?? '']
    return `${field} ${reason}${said === undefined ? '' : ` (${said})`}`
  })

const invalid = (faults: readonly string[]): Failure =>
  new Failure(`The file of finance users cannot be used, nothing is written:\n  ${faults.join('\n  ')}`, {
    code: 'finance_users_invalid',
    retryable: false,
  })
