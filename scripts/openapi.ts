// Writes docs/openapi/<service>.json from the operations of each service, formatted like every file.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOpenApiDocument } from '../infra/src/openapi/document.ts'
import { information as aggregator } from '../services/aggregator/src/openapi/information.ts'
import { operations as aggregatorOperations } from '../services/aggregator/src/openapi/operations.ts'
import { information as ingest } from '../services/ingest/src/openapi/information.ts'
import { operations as ingestOperations } from '../services/ingest/src/openapi/operations.ts'
import { information as invoicer } from '../services/invoicer/src/openapi/information.ts'
import { operations as invoicerOperations } from '../services/invoicer/src/openapi/operations.ts'

const documents = {
  aggregator: await buildOpenApiDocument(aggregator, aggregatorOperations),
  ingest: await buildOpenApiDocument(ingest, ingestOperations),
  invoicer: await buildOpenApiDocument(invoicer, invoicerOperations),
}
const root = join(import.meta.dirname, '..')
const targets = Object.entries(documents).map(([service, document]) => {
  const target = join(root, 'docs', 'openapi', `${service}.json`)
  writeFileSync(target, JSON.stringify(document))
  return target
})
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', ...targets], {
  stdio: 'ignore',
})
