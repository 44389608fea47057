import type { Random } from '../random.ts'
import { sha256 } from '../digest.ts'

/** Keys that are remembered: more than there are members, sites, officers and providers. */
const KEYS_MAX = 10_000

/**
 * Which keys have signed a good token here lately. Only the key and the name that a token claims are looked at, so to be among
 * them says nothing of a token, and to be verified costs a server one signature. Kept as digests under a key of this process,
 * because a name may be a person's.
 */
export class GoodKeys {
  readonly #key: string
  readonly #known = new Set<string>()

  constructor({ random }: { random: Random }) {
    this.#key = Buffer.from(random.bytes(32)).toString('base64url')
  }

  has(token: string): boolean {
    const claim = this.#claimOf(token)
    return claim !== undefined && this.#known.has(claim)
  }

  add(token: string): void {
    const claim = this.#claimOf(token)
    if (claim === undefined) return
    // Set anew, so that they are in the order of last use.
    this.#known.delete(claim)
    const [oldest] = this.#known
    if (this.#known.size >= KEYS_MAX && oldest !== undefined) this.#known.delete(oldest)
    this.#known.add(claim)
  }

  #claimOf(token: string): string | undefined {
    // An access token has no parts, and claims nothing.
    if (!token.includes('.')) return undefined
    const [head, body] = token.split('.', 2).map(objectIn)
    const [kid, iss] = [head?.['kid'], body?.['iss']]
    if (typeof kid !== 'string' || typeof iss !== 'string') return undefined
    return Buffer.from(sha256(`${this.#key}${JSON.stringify([kid, iss])}`)).toString('base64url', 0, 18)
  }
}

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
