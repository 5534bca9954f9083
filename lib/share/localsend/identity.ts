import { randomBytes, X509Certificate } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/errors.ts'
import { messageOf, quoted } from '../../base/text.ts'

/** This machine's key and certificate as LocalSend peers know them. */
export type Identity = {
  key: string
  cert: string
  /** Upper-case hex SHA-256 of the certificate's DER. */
  fingerprint: string
}

const DAY_MS = 86_400_000
const VALID_DAYS = 3650

/**
 * The identity that is kept in the folder, made on first use and again once it has expired. Peers remember its
 * fingerprint: to have a new one sooner, delete `localsend-identity.pem` there.
 *
 * @throws Failure when the file can't be read or written, or holds something else
 */
export async function ownIdentity(folder: string): Promise<Identity> {
  const file = join(folder, 'localsend-identity.pem')
  try {
    const kept = await read(file)
    if (kept !== undefined) return kept
    await make(file)
    const made = await read(file)
    if (made !== undefined) return made
  } catch (error) {
    throw new Failure(`the identity in ${quoted(file)} can't be used: ${messageOf(error)}`, { cause: error })
  }
  throw new Failure(`the identity in ${quoted(file)} has expired: is this machine's clock right?`)
}

/** Undefined where there is none, or one whose time is over, which is removed. */
async function read(file: string): Promise<Identity | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const [key, cert] = ['PRIVATE KEY', 'CERTIFICATE'].map((label) => block(text, label))
  if (key === undefined || cert === undefined)
    throw new Failure(
      'it holds no key and certificate: delete it, and peers will be asked to trust a new one',
    )
  await chmod(file, 0o600)
  const parsed = new X509Certificate(cert)
  if (Date.parse(parsed.validTo) < Date.now()) {
    await rm(file)
    return undefined
  }
  return { key, cert, fingerprint: fingerprintOf(parsed) }
}

function block(text: string, label: string): string | undefined {
  return new RegExp(`-----BEGIN ${label}-----[\\s\\S]+?-----END ${label}-----`).exec(text)?.[0]
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toUpperCase()
}

/** Of two programs that make one at the same time, the first one's stays. */
async function make(file: string): Promise<void> {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeFile(part, await selfSigned(), { flag: 'wx', mode: 0o600 })
    await link(part, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(part, { force: true })
  }
}

/** Key and certificate as PEM. Subject and validity are those of the official app. */
async function selfSigned(): Promise<string> {
  await import('reflect-metadata') // the library's own needs it, and it is needed once in ten years
  const { BasicConstraintsExtension, X509CertificateGenerator } = await import('@peculiar/x509')
  const { subtle } = globalThis.crypto
  const keys = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=LocalSend User',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + VALID_DAYS * DAY_MS),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new BasicConstraintsExtension(false)],
  })
  const key = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const lines = key.match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n${certificate.toString('pem')}\n`
}
