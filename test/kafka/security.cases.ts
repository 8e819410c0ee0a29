import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import type { KafkaConnection } from '../../src/2-stream/kafka-connection.ts'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import type { StreamLog } from '../../src/2-stream/log.ts'
import { isPlatformError } from '../../src/errors.ts'
import { message, readAll, texts } from '../2-stream/log.contract.ts'
import { PASSWORD, type SecuredKafka } from './secured.ts'

export function securityCases(server: () => SecuredKafka): void {
  let topics = 0
  const open = (listener: string, connection: Omit<KafkaConnection, 'brokers'>): Promise<StreamLog> =>
    openKafkaLog({
      connection: { brokers: [`127.0.0.1:${server().ports[listener]}`], ...connection },
      topic: `secured-${++topics}`,
      create: true,
      partitions: 1,
      replication: 1,
      retentionMs: 3_600_000,
    })
  const works = async (listener: string, connection: Omit<KafkaConnection, 'brokers'>): Promise<void> => {
    const log = await open(listener, connection)
    await log.append([message('a reading')])
    assert.deepEqual(texts(await readAll(log)), ['a reading'])
    await log.close()
  }
  /** Refused within seconds, in a sentence that matches, with the password nowhere in it. */
  const refused = async (
    listener: string,
    connection: Omit<KafkaConnection, 'brokers'>,
    code: string,
    sentence: RegExp,
  ): Promise<void> => {
    const began = Date.now()
    await assert.rejects(open(listener, connection), (error) => {
      assert.ok(isPlatformError(error), inspect(error))
      assert.equal(error.code, code, error.message)
      assert.match(`${error.message}. ${error.cure}`, sentence)
      assert.ok(!inspect(error, { depth: 20 }).includes(PASSWORD))
      return true
    })
    assert.ok(Date.now() - began < 20_000)
  }
  const user = (mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512', password = PASSWORD) => ({
    sasl: { mechanism, username: 'app', password },
  })

  describe('security', () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      test(`${mechanism}, with and without encryption`, async () => {
        const { caFile } = server().certificates
        await works('USERS', user(mechanism))
        await works('SECRET', { ...user(mechanism), tls: { caFile } })
      })
      test(`${mechanism}: a wrong password is refused, and no password is in the error`, async () => {
        await refused('USERS', user(mechanism, `${PASSWORD}-wrong`), 'stream_refused', /credentials/)
      })
    }

    test('a certificate of the client is asked for and given', async () => {
      const { caFile, clientCertFile, clientKeyFile } = server().certificates
      await works('MUTUAL', { tls: { caFile, certFile: clientCertFile, keyFile: clientKeyFile } })
      await refused('MUTUAL', { tls: { caFile } }, 'stream_unreachable', /closed.*client certificate/)
    })

    test('a broker whose authority is not trusted is refused', async () => {
      const { strangerCaFile } = server().certificates
      await refused(
        'SECRET',
        { ...user('PLAIN'), tls: { caFile: strangerCaFile } },
        'stream_refused',
        /refused/,
      )
      await refused('SECRET', { ...user('PLAIN'), tls: {} }, 'stream_refused', /refused/)
    })

    test("a broker's certificate that has expired is refused by that word", async () => {
      const { caFile } = server().certificates
      await refused('EXPIRED', { tls: { caFile } }, 'stream_refused', /expired/)
    })

    test('a plain connection to an encrypted listener, and no credentials where they are asked for, end in a sentence', async () => {
      await refused('MUTUAL', {}, 'stream_refused', /asks for an encrypted connection/)
      await refused('USERS', {}, 'stream_unreachable', /encryption, credentials/)
    })
  })
}
