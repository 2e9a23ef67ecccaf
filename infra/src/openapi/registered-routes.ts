import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** `METHOD /path` of every route that the sources of some folders register: what a reference must tell of. */
export function registeredRoutes(...directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .flatMap((name) => routesIn(readFileSync(join(directory, name), 'utf8'))),
  )
}

const routesIn = (source: string): string[] =>
  [...source.matchAll(/\.(get|post|put|patch|delete)(?:<[^(]*>)?\(\s*'(\/[^']+)'/g)].map(
    ([, method = '', url = '']) => `${method.toUpperCase()} ${url}`,
  )
