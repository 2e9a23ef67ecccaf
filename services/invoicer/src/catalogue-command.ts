import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import { applyCatalogueFile } from './catalogue-apply.ts'
import { createCatalogueClient } from './catalogue-client.ts'

const usage = `npm run catalogue -- apply <file.yaml> [--dry-run] [--key <API key>]

  Checks the whole file, then sends meters to the aggregator and the rest to the invoicer.
  The key needs the scope "admin": --key, or TIDEMARK_API_KEY.
  INVOICER_URL and AGGREGATOR_URL name the services (http://127.0.0.1:4300 and http://127.0.0.1:4200 by default).`

process.exitCode = await run(process.argv.slice(2), process.env)

async function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { 'dry-run': { type: 'boolean', default: false }, key: { type: 'string' } },
    })
    const [command, file, ...more] = positionals
    const key = values.key ?? env.TIDEMARK_API_KEY ?? ''
    if (command !== 'apply' || file === undefined || more.length > 0 || key === '') {
      console.error(key === '' && command === 'apply' ? `There is no API key.\n\n${usage}` : usage)
      return 2
    }
    const client = createCatalogueClient({
      invoicerUrl: env.INVOICER_URL ?? 'http://127.0.0.1:4300',
      aggregatorUrl: env.AGGREGATOR_URL ?? 'http://127.0.0.1:4200',
      key,
    })
    const text = await readFile(file, 'utf8')
    const isSound = await applyCatalogueFile(client, {
      file,
      text,
      dryRun: values['dry-run'],
      print: (line) => console.log(line),
    })
    return isSound ? 0 : 1
  } catch (error) {
    console.error(`${asFailure(error).message}`)
    return 1
  }
}
