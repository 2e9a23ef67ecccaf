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

/** Also of addresses that are put together of a constant of the source, or of each text of a list in a loop. */
export function routesIn(source: string): string[] {
  const texts = new Map<string, string[]>()
  for (const [, name = '', text = ''] of source.matchAll(/const (\w+) = '([^']*)'/g)) texts.set(name, [text])
  for (const [, name = '', list = ''] of source.matchAll(/for \(const (\w+) of \[([^\]]*)\]/g))
    texts.set(
      name,
      [...list.matchAll(/'([^']*)'/g)].map(([, text = '']) => text),
    )
  const routes = source.matchAll(
    /\.(get|post|put|patch|delete)(?:<[^(]*>)?\(\s*(?:(\w+),|'(\/[^']+)'|`([^`]+)`)/g,
  )
  return [...routes].flatMap(([, method = '', name, quoted, template]) =>
    unfold(quoted ?? template ?? `\${${name}}`, texts)
      .filter((url) => url.startsWith('/'))
      .map((url) => `${method.toUpperCase()} ${url}`),
  )
}

/** Every text that a template stands for. */
function unfold(template: string, texts: ReadonlyMap<string, readonly string[]>): string[] {
  const placeholder = /\$\{(\w+)\}/.exec(template)
  if (!placeholder) return [template]
  return (texts.get(placeholder[1] ?? '') ?? []).flatMap((text) =>
    unfold(template.replace(placeholder[0], text), texts),
  )
}
