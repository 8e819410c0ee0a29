/** Certificates of a test's own authority, made by openssl in a folder: for a broker, for a client, and an expired one. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  caFile: string
  /** Another authority, which signed nothing of these. */
  strangerCaFile: string
  /** Key, certificate and authority in one file, as Kafka reads PEM. */
  serverPem: string
  expiredPem: string
  clientCertFile: string
  clientKeyFile: string
}

export function makeCertificates(dir: string): Certificates {
  const at = (name: string): string => join(dir, name)
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe' })
  const key = (name: string): void =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at(`${name}.key`))
  const authority = (name: string): void => {
    key(name)
    const subject = ['-subj', `/CN=${name}`]
    openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      at(`${name}.key`),
      '-days',
      '2',
      ...subject,
      '-out',
      at(`${name}.crt`),
    )
  }
  const signed = (name: string, days: string[]): void => {
    key(name)
    openssl('req', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-out', at(`${name}.csr`))
    writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost')
    const by = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')]
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, ...days, '-out', at(`${name}.crt`))
  }
  const bundle = (name: string): string => {
    const parts = [`${name}.key`, `${name}.crt`, 'ca.crt'].map((part) => readFileSync(at(part), 'utf8'))
    writeFileSync(at(`${name}.pem`), parts.join(''))
    return at(`${name}.pem`)
  }
  authority('ca')
  authority('stranger')
  signed('server', ['-days', '2'])
  signed('client', ['-days', '2'])
  // Valid until yesterday.
  signed('expired', ['-days', '-1'])
  return {
    caFile: at('ca.crt'),
    strangerCaFile: at('stranger.crt'),
    serverPem: bundle('server'),
    expiredPem: bundle('expired'),
    clientCertFile: at('client.crt'),
    clientKeyFile: at('client.key'),
  }
}
