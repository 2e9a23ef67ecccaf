import { type FieldError, fieldErrors } from '@tidemark/infra/process/field-errors.ts'
import { explainPatterns } from '@tidemark/infra/process/pattern-reason.ts'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TraceStep } from '../rated.ts'

/** The golden file's `expected` fields by name, and how they came about. */
export type PreviewAnswer = Readonly<Record<string, unknown>> & { readonly trace: readonly TraceStep[] }

export type Previewed = { readonly answer: PreviewAnswer } | { readonly faults: readonly FieldError[] }

export type PreviewKind = { readonly schema: TSchema; readonly preview: (body: unknown) => Previewed }

/** One kind of calculation: its input’s shape, checked first, and the pure function that answers it. */
export function previewKind<Schema extends TSchema>(
  schema: Schema,
  answer: (body: Static<Schema>) => Previewed,
): PreviewKind {
  const check = checker(schema)
  return {
    schema,
    preview(body) {
      const checked = check(body, '')
      return 'value' in checked ? answer(checked.value) : checked
    },
  }
}

type Checked<Value> = { readonly value: Value } | { readonly faults: readonly FieldError[] }

/** Reads what is unknown by a schema; faults are named below `path`. */
export function checker<Schema extends TSchema>(
  schema: Schema,
): (value: unknown, path: string) => Checked<Static<Schema>> {
  const validator = Compile(schema)
  return (value, path) => {
    if (validator.Check(value)) return { value }
    const found = fieldErrors(explainPatterns(schema, validator.Errors(value)), path === '' ? 'body' : path)
    const faults = found.map(({ field, reason }) => ({ field: below(path, field), reason: inWords(reason) }))
    return { faults }
  }
}

/** A JSON number would lose digits on its way; whoever sends one learns what to send. */
const inWords = (reason: string): string =>
  reason === 'must be string' ? 'must be text, in quotes, so that no digit is lost' : reason

const below = (path: string, field: string): string =>
  path === '' || field === path ? field : `${path}.${field}`
