// Writes .env.example from the configuration schemas; with --check only says whether it is up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IsObject, Type } from 'typebox'
import { aclSettings } from '../infra/src/installation/acls.ts'
import { type ConfigSection, envExample } from '../infra/src/process/env-example.ts'
import * as settings from '../infra/src/process/settings.ts'

const root = join(import.meta.dirname, '..')
const target = join(root, '.env.example')
const services = ['ingest', 'aggregator', 'invoicer', 'reconciler']

const sections: ConfigSection[] = [
  {
    title: 'Shared by the services',
    schema: Type.Object({
      ...settings.prefixSettings,
      ...settings.logSettings,
      ...settings.lifecycleSettings,
      ...settings.kafkaSettings,
      ...settings.usageLogSettings,
      ...settings.registrySettings,
      ...settings.clickHouseSettings,
      ...settings.postgresSettings,
      ...settings.redisSettings,
      ...settings.stripeSettings,
    }),
  },
]
for (const service of services) {
  const path = join(root, 'services', service, 'src', 'config.ts')
  if (!existsSync(path)) continue
  const { configSchema } = await import(path)
  if (!IsObject(configSchema)) throw new Error(`${path} exports no configSchema made with Type.Object`)
  sections.push({ title: service, schema: configSchema })
}

sections.push({ title: 'npm run acls', schema: Type.Object(aclSettings) })

const text = envExample(sections)
if (!process.argv.includes('--check')) writeFileSync(target, text)
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('.env.example is not what the schemas say; run: node scripts/env-example.ts')
  process.exitCode = 1
}
