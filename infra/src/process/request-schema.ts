import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { explainPatterns } from './pattern-reason.ts'
import { isRecord } from './record.ts'

/**
 * Checks a part of a request. A body is taken as it is: a null that was read as 0 would close a month. Paths and queries
 * are text, from which whole numbers and booleans are read where their schema asks for them; what is left out there has
 * its default.
 */
export const compileRequestSchema: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (given: unknown) => {
    const value = httpPart === 'body' ? given : readTexts(schema, given)
    if (validator.Check(value)) return { value }
    return { error: explainPatterns(schema, validator.Errors(value)) }
  }
}

function readTexts(schema: TSchema, given: unknown): unknown {
  const properties = Reflect.get(schema, 'properties')
  if (!isRecord(given) || !isRecord(properties)) return given
  const defaults = Object.entries(properties).flatMap(([name, property]) =>
    isRecord(property) && property.default !== undefined ? [[name, property.default]] : [],
  )
  const read = Object.entries(given).map(([name, text]) => [name, readText(properties[name], text)])
  return Object.fromEntries([...defaults, ...read])
}

function readText(schema: unknown, text: unknown): unknown {
  const type = isRecord(schema) ? schema.type : undefined
  if (type === 'integer' && typeof text === 'string' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
