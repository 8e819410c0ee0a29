/** How the platform's clients reach Kafka: addresses, encryption, credentials; and what their errors mean. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { Admin, type BaseOptions } from './kafka-library.ts'
import { PlatformError, isPlatformError } from '../errors.ts'

export interface KafkaConnection {
  /** `host:port`, one or more of the cluster. */
  brokers: readonly string[]
  tls?: KafkaTls
  sasl?: KafkaSasl
}

export interface KafkaTls {
  /** Files in PEM. Without a certificate authority the system's are trusted. */
  caFile?: string
  certFile?: string
  keyFile?: string
  keyPassphrase?: string
}

export interface KafkaSasl {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  username: string
  password: string
}

/** Tries of one request before the error is handed on: enough to pass a leader's change, few enough to say soon what is wrong. */
const TRIES = 4
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000

export const backOffMs = (attempt: number): number =>
  Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16), LONGEST_DELAY_MS)

/** What every client of the library is given. */
export function clientOptions(connection: KafkaConnection): BaseOptions {
  const { tls, sasl } = connection
  return {
    clientId: 'smarthouse',
    bootstrapBrokers: [...connection.brokers],
    connectTimeout: 5_000,
    requestTimeout: 30_000,
    retries: TRIES - 1,
    retryDelay: (_client, _operation, attempt) => backOffMs(attempt),
    autocreateTopics: false,
    ...(tls && {
      tls: {
        ...(tls.caFile && { ca: readPem(tls.caFile) }),
        ...(tls.certFile && { cert: readPem(tls.certFile) }),
        ...(tls.keyFile && { key: readPem(tls.keyFile) }),
        ...(tls.keyPassphrase && { passphrase: tls.keyPassphrase }),
      },
      // A name for the broker to choose its certificate by; an address is not allowed there (RFC 6066, 3).
      tlsServerName: connection.brokers.some((broker) => isIP(broker.replace(/:\d+$/, '')) === 0),
    }),
    ...(sasl && { sasl: { ...sasl } }),
  }
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new PlatformError(
      'config_unreadable',
      `Cannot read ${file}, which the stream's settings name: ${(cause as Error).message}`,
      'Check the path and that you may read it; relative paths start at the configuration file.',
      { cause },
    )
  }
}

export const openAdmin = (connection: KafkaConnection): Admin => new Admin(clientOptions(connection))

/** Every error of a chain: the library nests them as lists and as causes. */
export function allErrors(error: unknown): (Error & Record<string, unknown>)[] {
  if (!(error instanceof Error)) return []
  const nested = error instanceof AggregateError ? error.errors : []
  const found = error as Error & Record<string, unknown>
  return [found, ...nested.flatMap(allErrors), ...allErrors(error.cause)]
}

/** Whether the broker answered with the error of this name, for example `MESSAGE_TOO_LARGE`. */
export const isAnswered = (error: unknown, apiId: string): boolean =>
  allErrors(error).some((one) => one.apiId === apiId)

const UNTRUSTED =
  /self.signed|unable to (?:verify|get)|certificate|altname|SELF_SIGNED|UNABLE_TO|CERT_|ERR_TLS|ERR_SSL|EPROTO|alert/i

/**
 * An error of the library as one sentence with its cure. `stream_unreachable` is what may heal by itself and is
 * worth trying again; all others are not.
 */
export function kafkaError(error: unknown, brokers: readonly string[], doing: string): PlatformError {
  if (isPlatformError(error)) return error
  const errors = allErrors(error)
  const at = brokers.join(', ')
  const cause = { cause: error }
  const answered = (...names: string[]): boolean => errors.some((one) => names.includes(String(one.apiId)))
  const code = (...names: string[]): boolean => errors.some((one) => names.includes(String(one.code)))
  if (code('CERT_HAS_EXPIRED') || errors.some((one) => /certificate (?:has )?expired/i.test(one.message)))
    return new PlatformError(
      'stream_refused',
      `A certificate of the connection to Kafka at ${at} has expired`,
      'Renew it, and check the clock of this machine.',
      cause,
    )
  if (code('PLT_KFK_AUTHENTICATION') || answered('SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM'))
    return new PlatformError(
      'stream_refused',
      `Kafka at ${at} does not accept the credentials`,
      'Check stream.sasl: mechanism, username, and the password or its file.',
      cause,
    )
  if (errors.some((one) => /requires TLS/i.test(one.message)))
    return new PlatformError(
      'stream_refused',
      `Kafka at ${at} asks for an encrypted connection`,
      'Set stream.tls.enabled to true, and stream.tls.ca_file to its certificate authority.',
      cause,
    )
  if (errors.some((one) => UNTRUSTED.test(`${String(one.code)} ${one.message}`)))
    return new PlatformError(
      'stream_refused',
      `The encrypted connection to Kafka at ${at} was refused: ${tlsReason(errors)}`,
      'Check stream.tls: ca_file must be the authority that signed the broker, cert_file and key_file what the broker trusts.',
      cause,
    )
  if (answered('TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'))
    return new PlatformError(
      'stream_refused',
      `Kafka at ${at} does not allow this user to ${doing}`,
      "Ask for the right in the cluster's access control list.",
      cause,
    )
  if (answered('MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'))
    return new PlatformError(
      'stream_message_too_large',
      `Kafka at ${at} refused to ${doing}: the message is larger than the topic allows`,
      "Raise the topic's max.message.bytes, or let the device send less in one message.",
      cause,
    )
  return unreachable(errors, at, doing, cause)
}

function unreachable(
  errors: readonly Error[],
  at: string,
  doing: string,
  cause: ErrorOptions,
): PlatformError {
  const names = errors.map((one) => String((one as Error & { apiId?: string }).apiId))
  if (names.some((name) => name.startsWith('NOT_ENOUGH_REPLICAS')))
    return new PlatformError(
      'stream_unreachable',
      `Kafka at ${at} cannot ${doing}: too few replicas of the partition are in step to take a write`,
      'Bring the missing brokers back; it is tried again until then, and no device is told that its reading was taken.',
      cause,
    )
  const plain = errors
    .map((one) => one.message)
    .findLast((text) => /ECONN|ENOTFOUND|EHOST|ETIMEDOUT|EAI_/.test(text))
  const reason = plain ?? errors.at(-1)?.message ?? 'no answer'
  // A broker that wants encryption, credentials or a certificate and gets none hangs up without a word.
  const hungUp = plain === undefined && errors.some((one) => /connection closed/i.test(one.message))
  return new PlatformError(
    'stream_unreachable',
    `Kafka at ${at} cannot ${doing}: ${reason}`,
    hungUp
      ? 'If the broker runs, it may ask for encryption, credentials or a client certificate: check stream.tls and stream.sasl.'
      : 'Check that the broker runs and that stream.brokers names it; it is tried again until then.',
    cause,
  )
}

function tlsReason(errors: readonly Error[]): string {
  const telling = errors.findLast((one) => UNTRUSTED.test(one.message)) ?? errors.at(-1)!
  return telling.message.replace(/^.*?:error:\w+:/, '').trim()
}
