import { accountIdOf } from './accounts.ts'
import { unauthorized } from './api-error.ts'

/**
 * The account of an Authorization header: `Bearer sk_test_…`, or Basic with the key as the user, as
 * https://docs.stripe.com/api/authentication has it. Nothing but test keys is taken: a live key here is a mistake
 * that must not go unnoticed.
 */
export function authenticate(header: string | undefined): string {
  const key = keyOf(header)
  if (key === undefined) {
    throw unauthorized(
      'You did not provide an API key. Send it in the Authorization header, as Bearer sk_test_….',
    )
  }
  if (/^sk_test_\w{1,200}$/.test(key)) return accountIdOf(key)
  const reason = key.startsWith('sk_live_')
    ? 'this is the simulator, which takes no live key'
    : 'send a key that begins with sk_test_, followed by letters, digits and underscores'
  throw unauthorized(`Invalid API Key provided: ${key.slice(0, 8)}…; ${reason}.`)
}

function keyOf(header: string | undefined): string | undefined {
  const [scheme, credentials] = header?.split(' ') ?? []
  if (credentials === undefined || credentials === '') return undefined
  if (scheme?.toLowerCase() === 'bearer') return credentials
  if (scheme?.toLowerCase() === 'basic')
    return Buffer.from(credentials, 'base64').toString('utf8').split(':')[0]
  return undefined
}
