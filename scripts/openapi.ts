// Writes docs/openapi/ingest.json from the operations of ingest, formatted like every file.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOpenApiDocument } from '../services/ingest/src/openapi/document.ts'
import { operations } from '../services/ingest/src/openapi/operations.ts'

const root = join(import.meta.dirname, '..')
const target = join(root, 'docs', 'openapi', 'ingest.json')
writeFileSync(target, JSON.stringify(await buildOpenApiDocument(operations)))
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', target], { stdio: 'ignore' })
