import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of a certificate and its key, in PEM. */
export type Certificate = { readonly certificate: string; readonly key: string }

export type Authority = Certificate & {
  /** A certificate signed by this authority; the names are those of a server. */
  issue(commonName: string, names?: readonly string[]): Certificate
}

const openssl = (folder: string, args: readonly string[]): void => {
  try {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error(
        'openssl is missing, it makes the certificates of this test; apt-get install -y openssl',
      )
    throw error
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** An authority of a test's own, whose files lie in the folder; good for two days. */
export function createAuthority(folder: string, name: string): Authority {
  const certificate = join(folder, `${name}.pem`)
  const key = join(folder, `${name}.key`)
  const files = ['-keyout', key, '-out', certificate]
  openssl(folder, ['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, ...files])
  return {
    certificate,
    key,
    issue(commonName, names = []) {
      const issued = {
        certificate: join(folder, `${commonName}.pem`),
        key: join(folder, `${commonName}.key`),
      }
      const request = join(folder, `${commonName}.csr`)
      const extensions = join(folder, `${commonName}.ext`)
      writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`)
      openssl(folder, [
        'req',
        ...newKey,
        '-subj',
        `/CN=${commonName}`,
        '-keyout',
        issued.key,
        '-out',
        request,
      ])
      const signed = ['-CA', certificate, '-CAkey', key, '-CAcreateserial', '-days', '2']
      const output = ['-extfile', extensions, '-out', issued.certificate]
      openssl(folder, ['x509', '-req', '-in', request, ...signed, ...output])
      return issued
    },
  }
}

/** Key and certificate in one file, as Kafka reads a store. */
export function pemStore(folder: string, name: string, { key, certificate }: Certificate): string {
  const path = join(folder, `${name}.store.pem`)
  writeFileSync(path, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'))
  return path
}
