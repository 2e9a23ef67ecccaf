import type { TObject } from 'typebox'
import { settingsOf } from './config.ts'
import { describeExpected, type SettingSchema } from './config-faults.ts'
import { Failure } from './failure.ts'

export type ConfigSection = { title: string; schema: TObject }

const head = `# Every variable that the services read, with its default: the addresses are those of the local stack.
# Made from the configuration schemas by scripts/env-example.ts; change it there.
`

/**
 * The text of `.env.example`. A variable stands under the first section that has it, so shared ones come in the first.
 * Two schemas that mean different things by one name are refused.
 */
export function envExample(sections: readonly ConfigSection[]): string {
  const known = new Map<string, SettingSchema>()
  const parts = sections.map(({ title, schema }) => {
    const own = Object.entries(settingsOf(schema)).filter(([name, setting]) => {
      const before = known.get(name)
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(setting))
        throw new Failure(
          `${name} in "${title}" differs from an earlier section; use one definition for both`,
          {
            code: 'config_conflict',
            retryable: false,
          },
        )
      known.set(name, setting)
      return before === undefined
    })
    return own.length === 0
      ? ''
      : `\n# ${title}\n\n${own.map(([name, setting]) => variable(name, setting)).join('\n')}`
  })
  return head + parts.join('')
}

function variable(name: string, setting: SettingSchema): string {
  const expected = `Expected: ${describeExpected(setting)}${setting.secret === true ? '; secret' : ''}.`
  const purpose = typeof setting.description === 'string' ? `${setting.description} ` : ''
  const comment = wrap(`${purpose}${expected}`).map((line) => `# ${line}`)
  const assignment =
    setting.default === undefined ? `# ${name}=` : `${name}=${quote(String(setting.default))}`
  return [...comment, assignment, ''].join('\n')
}

function wrap(text: string): string[] {
  return text.match(/.{1,110}(?:\s|$)/g)?.map((line) => line.trimEnd()) ?? [text]
}

function quote(value: string): string {
  return /[\s#"'$]/.test(value) ? `'${value}'` : value
}
