import { isRecord } from '@tidemark/infra/process/record.ts'
import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import type { CatalogueClient } from './catalogue-client.ts'
import { readCatalogueFile } from './catalogue-file.ts'

export type FileRequest = {
  /** As it is named in faults. */
  file: string
  text: string
  dryRun: boolean
  print(line: string): void
}

/**
 * Checks all of a catalogue file with both services, then sends meters to the aggregator and the rest to the invoicer.
 * Every fault is printed as `file:line: path: reason`, and then nothing is applied.
 * @returns whether the file is sound (and, unless a dry run, applied)
 */
export async function applyCatalogueFile(
  client: CatalogueClient,
  { file, text, dryRun, print }: FileRequest,
): Promise<boolean> {
  const read = readCatalogueFile(text)
  if ('faults' in read) {
    for (const { line, reason } of read.faults) print(`${file}:${line}: ${reason}`)
    print(`Nothing is applied: ${file} cannot be read.`)
    return false
  }
  const { meters, ...rest }: Record<string, unknown> = isRecord(read.value) ? read.value : {}
  const listed = Array.isArray(meters) ? meters : []
  print(`Checking ${file} …`)
  const checked = await client.applyCatalogue(read.value, true)
  const faults = [...(await meterFaults(client, listed)), ...('faults' in checked ? checked.faults : [])]
  if (faults.length > 0 || !('lines' in checked)) {
    printFaults(faults, (fault) =>
      print(`${file}:${read.lineOf(fault.path)}: ${fault.path}: ${fault.reason}`),
    )
    print(`Nothing is applied: ${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`)
    return false
  }
  for (const line of checked.lines) print(`  ${line}`)
  if (dryRun) {
    print(summary('Would be applied', listed.length, checked.changes))
    return true
  }
  for (const meter of listed) {
    const applied = await client.applyMeter(meter, false)
    if ('version' in applied) print(`  meter ${isRecord(meter) ? meter.key : ''}: version ${applied.version}`)
  }
  // What was shown is what is applied: whoever changed the catalogue in between is not overwritten.
  const applied = await client.applyCatalogue(rest, false, checked.revision)
  if (!('lines' in applied)) {
    printFaults('faults' in applied ? applied.faults : [], (fault) =>
      print(`${file}:${read.lineOf(fault.path)}: ${fault.path}: ${fault.reason}`),
    )
    print('Somebody changed the catalogue meanwhile: the meters are applied, nothing else is. Run it again.')
    return false
  }
  print(summary('Applied', listed.length, applied.changes))
  return true
}

/** The invoicer checks meters too; what both say is said once. */
async function meterFaults(client: CatalogueClient, meters: readonly unknown[]): Promise<CatalogueFault[]> {
  const faults: CatalogueFault[] = []
  for (const [index, meter] of meters.entries()) {
    const checked = await client.applyMeter(meter, true)
    if (!('faults' in checked)) continue
    faults.push(
      ...checked.faults.map(({ path, reason }) => ({
        path: path === '' ? `meters[${index}]` : `meters[${index}].${path}`,
        reason,
      })),
    )
  }
  return faults
}

function printFaults(faults: readonly CatalogueFault[], print: (fault: CatalogueFault) => void): void {
  const told = new Set<string>()
  for (const fault of faults) {
    if (told.has(fault.path) && fault.path.startsWith('meters')) continue
    told.add(fault.path)
    print(fault)
  }
}

const summary = (verb: string, meters: number, changes: number): string =>
  `${verb}: ${meters} ${meters === 1 ? 'meter' : 'meters'}, ${changes === 0 ? 'nothing else to change' : `${changes} changes of the rest`}.`
