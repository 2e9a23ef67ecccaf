import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isRecord } from '../process/record.ts'

/** PEM texts of a client's certificate chain and its key. */
export type ClientIdentity = { readonly cert: string; readonly key: string }

/** The certificates of a CA; undefined where `faults` says why not. */
export function readCa(value: string, faults: string[]): string | undefined {
  const pem = readPem('KAFKA_TLS_CA', value, faults)
  if (pem === undefined) return undefined
  return readCertificate('KAFKA_TLS_CA', pem, faults) && pem
}

/** Certificate and key of this client, which must belong together; undefined where neither is set or both are no use. */
export function readClientIdentity(
  certificate: string,
  key: string,
  faults: string[],
): ClientIdentity | undefined {
  if (certificate === '' && key === '') return undefined
  if (certificate === '' || key === '') {
    const [set, missing] = ['KAFKA_TLS_CERTIFICATE', 'KAFKA_TLS_KEY']
    faults.push(
      key === ''
        ? `${set} is set without ${missing}; mutual TLS needs both, plain TLS neither.`
        : `${missing} is set without ${set}; mutual TLS needs both, plain TLS neither.`,
    )
    return undefined
  }
  const certificatePem = readPem('KAFKA_TLS_CERTIFICATE', certificate, faults)
  const keyPem = readPem('KAFKA_TLS_KEY', key, faults)
  const first = certificatePem && readCertificate('KAFKA_TLS_CERTIFICATE', certificatePem, faults)
  const privateKey = keyPem && readKey(keyPem, faults)
  if (!first || !privateKey || !certificatePem || !keyPem) return undefined
  if (first.checkPrivateKey(privateKey)) return { cert: certificatePem, key: keyPem }
  faults.push(
    `KAFKA_TLS_KEY is not the key of the first certificate in KAFKA_TLS_CERTIFICATE (${first.subject.replaceAll('\n', ', ')}); ` +
      'give the pair that belongs together, this client’s own certificate first.',
  )
  return undefined
}

/** The password in a file, without the line end that editors put behind it; empty where `faults` says why. */
export function readSecretFile(path: string, faults: string[]): string {
  const text = readText('KAFKA_SASL_PASSWORD_FILE', path, faults)
  const secret = text?.replace(/\r?\n$/, '')
  if (secret === '')
    faults.push(`KAFKA_SASL_PASSWORD_FILE names ${path}, which is empty; put the password into it.`)
  return secret ?? ''
}

/** A variable can hold a PEM text; where line ends do not survive on the way, they are written as \n. */
function readPem(name: string, value: string, faults: string[]): string | undefined {
  if (value.startsWith('-----BEGIN ')) return value.replaceAll('\\n', '\n')
  return readText(name, value, faults)
}

function readText(name: string, path: string, faults: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = isRecord(error) && typeof error.code === 'string' ? error.code : 'unreadable'
    // A key pasted with a space before it would otherwise be printed as the name of a file.
    const shown = path.includes('-----') || path.includes('\n') ? 'text that is neither PEM nor a path' : path
    faults.push(
      `${name} names ${shown}, which cannot be read (${code}); give a file that this process may read.`,
    )
    return undefined
  }
}

function readCertificate(name: string, pem: string, faults: string[]): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem)
    if (Date.parse(certificate.validTo) > Date.now()) return certificate
    faults.push(`${name} ended on ${certificate.validTo}; give a certificate that is valid.`)
  } catch {
    faults.push(`${name} holds no certificate in PEM form, beginning with -----BEGIN CERTIFICATE-----.`)
  }
  return undefined
}

function readKey(pem: string, faults: string[]) {
  try {
    return createPrivateKey(pem)
  } catch {
    faults.push(
      pem.includes('ENCRYPTED')
        ? 'KAFKA_TLS_KEY is encrypted; give it decrypted and readable by this process alone: openssl pkey -in <it> -out <new>.'
        : 'KAFKA_TLS_KEY holds no private key in PEM form, beginning with -----BEGIN PRIVATE KEY-----.',
    )
    return undefined
  }
}
