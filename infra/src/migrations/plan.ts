import { Failure } from '../process/failure.ts'
import type { MigrationFile } from './migration-file.ts'

export type AppliedMigration = { name: string; sha256: string; appliedAt: string }

/**
 * Which files are still to be applied. What is applied is history: a file that was edited since, that is gone, or a new
 * one that sorts before an applied one, is refused, all of them in one Failure `migration_refused` that says how to
 * mend each.
 */
export function planMigrations(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  folder: string,
): MigrationFile[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const appliedNames = new Set(applied.map(({ name }) => name))
  const last = [...appliedNames].sort().at(-1)
  const pending = files.filter(({ name }) => !appliedNames.has(name))

  const faults = applied.flatMap(({ name, sha256, appliedAt }) => {
    const file = byName.get(name)
    if (file === undefined)
      return [`${folder}/${name} was applied on ${appliedAt} and is gone; bring the file back.`]
    if (file.sha256 !== sha256)
      return [
        `${file.path} was applied on ${appliedAt} and has been edited since; restore it and put the change into a new file.`,
      ]
    return []
  })
  for (const { name, path } of pending)
    if (last !== undefined && name < last)
      faults.push(`${path} is new but sorts before ${last}, which is applied; give it a number after that.`)
  if (faults.length > 0) throw new Failure(faults.join('\n'), { code: 'migration_refused', retryable: false })
  return pending
}
