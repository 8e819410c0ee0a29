/** The broker of most tests: one node with a listener for every way of being reached. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificates, type Certificates } from '../servers/certificates.ts'
import { startKafka, type Kafka } from '../servers/kafka.ts'

export const PASSWORD = 'app-secret-9f2c'
const SECURITY = 'org.apache.kafka.common.security'
const PLAIN = `${SECURITY}.plain.PlainLoginModule required user_app="${PASSWORD}";`
const SCRAM = `${SECURITY}.scram.ScramLoginModule required;`

export interface SecuredKafka extends Kafka {
  ports: Record<string, number>
  certificates: Certificates
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-certificates-'))
  const certificates = makeCertificates(dir)
  const sasl = (listener: string): Record<string, string> => ({
    [`listener.name.${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`listener.name.${listener}.plain.sasl.jaas.config`]: PLAIN,
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: SCRAM,
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: SCRAM,
  })
  const kafka = await startKafka({
    listeners: { USERS: 'SASL_PLAINTEXT', SECRET: 'SASL_SSL', MUTUAL: 'SSL', EXPIRED: 'SSL' },
    scram: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((way) => `${way}=[name=app,password=${PASSWORD}]`),
    properties: {
      ...sasl('users'),
      ...sasl('secret'),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.serverPem,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.caFile,
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.expired.ssl.keystore.type': 'PEM',
      'listener.name.expired.ssl.keystore.location': certificates.expiredPem,
      // So that compaction can be waited for.
      'log.cleaner.backoff.ms': 200,
    },
  })
  return {
    ...kafka,
    certificates,
    close: async () => {
      await kafka.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
