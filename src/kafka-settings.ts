import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { KafkaConnection, KafkaSasl, KafkaTls } from './2-stream/kafka-connection.ts'
import type { TopicSettings } from './2-stream/kafka-topic.ts'
import type { Config } from './config.ts'
import { PlatformError } from './errors.ts'

/** The stream's settings as Kafka's clients take them; paths start at the configuration's folder. */
export function kafkaSettings(
  { stream }: Config,
  baseDir: string,
): TopicSettings & { connection: KafkaConnection } {
  const { tls, sasl } = stream
  const file = (path: string | undefined): string | undefined => path && resolve(baseDir, path)
  const connection: KafkaConnection = { brokers: stream.brokers }
  if (tls.enabled) {
    const files = { caFile: file(tls.ca_file), certFile: file(tls.cert_file), keyFile: file(tls.key_file) }
    const given = Object.entries({ ...files, keyPassphrase: tls.key_passphrase }).filter(([, value]) => value)
    connection.tls = Object.fromEntries(given) as KafkaTls
  }
  if (sasl.mechanism !== 'none') connection.sasl = credentials(sasl.mechanism, sasl, file(sasl.password_file))
  return {
    connection,
    create: stream.create_topics,
    partitions: stream.partitions,
    replication: stream.replication,
    retentionMs: stream.topic_retention,
  }
}

function credentials(
  mechanism: KafkaSasl['mechanism'],
  { username, password }: { username: string; password?: string | undefined },
  passwordFile: string | undefined,
): KafkaSasl {
  if (passwordFile === undefined) {
    if (username !== '' && password !== undefined) return { mechanism, username, password }
    throw new PlatformError(
      'config_invalid',
      `stream.sasl.mechanism is ${mechanism}, but ${username === '' ? 'the username' : 'the password'} is missing`,
      'Set stream.sasl.username, and SMARTHOUSE_STREAM_SASL_PASSWORD or stream.sasl.password_file.',
    )
  }
  try {
    // Editors and secret stores end the file with a line break, which is no part of the password.
    return { mechanism, username, password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') }
  } catch (cause) {
    throw new PlatformError(
      'config_unreadable',
      `Cannot read the password file ${passwordFile}: ${(cause as NodeJS.ErrnoException).code}`,
      'Check stream.sasl.password_file and that you may read it.',
      { cause },
    )
  }
}
