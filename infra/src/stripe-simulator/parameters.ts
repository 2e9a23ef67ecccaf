import { invalidRequest, missingParameter } from './api-error.ts'
import type { FormTree } from './form.ts'
import type { Metadata } from './stripe-objects.ts'

/** Refuses names outside the list, as Stripe does, so that a misspelt parameter is never silently ignored. */
export function onlyKnown(params: FormTree, known: readonly string[]): void {
  for (const name of Object.keys(params)) {
    if (known.includes(name)) continue
    throw invalidRequest(
      `Received unknown parameter: ${name}. The simulator knows: ${known.join(', ') || 'none here'}.`,
      { param: name, code: 'parameter_unknown' },
    )
  }
}

export function optionalText(params: FormTree, name: string): string | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalidRequest(`Invalid string: ${name} is a hash.`, { param: name })
  return value
}

export function requiredText(params: FormTree, name: string): string {
  const value = optionalText(params, name)
  if (value === undefined || value === '') throw missingParameter(name)
  return value
}

export function requiredInteger(params: FormTree, name: string): number {
  return integerOf(requiredText(params, name), name)
}

export function optionalBoolean(params: FormTree, name: string): boolean {
  const text = optionalText(params, name)
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw invalidRequest(`Invalid boolean: ${text}; send true or false.`, { param: name })
}

/** https://docs.stripe.com/api/metadata: 50 keys of 40 characters, values of 500. An empty value removes a key. */
export function metadataOf(params: FormTree, before: Metadata = {}): Metadata {
  const sent = params.metadata
  if (sent === undefined) return before
  if (sent === '') return {}
  if (typeof sent === 'string') {
    throw invalidRequest('Invalid hash: metadata must be sent as metadata[key]=value.', { param: 'metadata' })
  }
  const after = new Map(Object.entries(before))
  for (const [key, value] of Object.entries(sent)) {
    const param = `metadata[${key}]`
    if (typeof value !== 'string') throw invalidRequest(`${param} must be a string.`, { param })
    if (key.length > 40) throw invalidRequest(`Metadata keys can be up to 40 characters: ${key}.`, { param })
    if (value.length > 500) throw invalidRequest(`${param} can be up to 500 characters.`, { param })
    if (value === '') after.delete(key)
    else after.set(key, value)
  }
  if (after.size > 50)
    throw invalidRequest('You can only have up to 50 metadata keys.', { param: 'metadata' })
  return Object.fromEntries(after)
}

export type CreatedFilter = (created: number) => boolean

/** `created=1` or `created[gte]=1`, seconds; https://docs.stripe.com/api/payment_intents/list. */
export function createdFilter(params: FormTree): CreatedFilter {
  const sent = params.created
  if (sent === undefined) return () => true
  if (typeof sent === 'string') {
    const exact = integerOf(sent, 'created')
    return (created) => created === exact
  }
  onlyKnown(sent, ['gt', 'gte', 'lt', 'lte'])
  const bound = (name: string, missing: number) => {
    const text = optionalText(sent, name)
    return text === undefined ? missing : integerOf(text, `created[${name}]`)
  }
  const gt = bound('gt', Number.NEGATIVE_INFINITY)
  const gte = bound('gte', Number.NEGATIVE_INFINITY)
  const lt = bound('lt', Number.POSITIVE_INFINITY)
  const lte = bound('lte', Number.POSITIVE_INFINITY)
  return (created) => created > gt && created >= gte && created < lt && created <= lte
}

export function integerOf(text: string, param: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw invalidRequest(`Invalid integer: ${text}`, { param, code: 'parameter_invalid_integer' })
}
