// Writes docs/openapi/ingest.json from the operations of ingest.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildOpenApiDocument } from '../services/ingest/src/openapi/document.ts'
import { operations } from '../services/ingest/src/openapi/operations.ts'

const target = join(import.meta.dirname, '..', 'docs', 'openapi', 'ingest.json')
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, `${JSON.stringify(await buildOpenApiDocument(operations), null, 2)}\n`)
