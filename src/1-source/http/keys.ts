/** Who may send readings over HTTP: API keys, each for one home. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface ApiKey {
  key: string
  /** Home that readings with this key belong to. */
  tenant_id: string
}

export type Caller = { tenant: string | null } | 'no_key' | 'wrong_key'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Tells the home of a request's key, from `Authorization: Bearer KEY`, `Token KEY` or `Basic USER:KEY`, `X-API-Key`, or what
 * the address carries (devices that can send nothing else). Where no keys are set up everybody may send, for any home.
 */
export function createKeyring(keys: readonly ApiKey[]) {
  const known = keys.map(({ key, tenant_id: tenant }) => ({ digest: digest(key), tenant }))
  return (headers: IncomingHttpHeaders, inAddress: string | undefined): Caller => {
    if (known.length === 0) return { tenant: null }
    const sent = keyOf(headers) ?? inAddress
    if (sent === undefined || sent === '') return 'no_key'
    // All are compared, in the same time whatever was sent.
    const asked = digest(sent)
    const found = known.filter((key) => timingSafeEqual(key.digest, asked))
    return found[0] ? { tenant: found[0].tenant } : 'wrong_key'
  }
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['x-api-key']
  if (typeof own === 'string') return own
  const [scheme, value] = headers.authorization?.split(' ', 2) ?? []
  if (value === undefined) return undefined
  if (/^(?:bearer|token)$/i.test(scheme!)) return value
  if (/^basic$/i.test(scheme!))
    return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':')
  return undefined
}
