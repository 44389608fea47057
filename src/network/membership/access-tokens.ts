import { later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { sha256 } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Random } from '../../kernel/random.ts'

/** Tokens that were given at once: more only come from a client that never uses them. */
const TOKENS_MAX = 50_000

/**
 * Access tokens that were exchanged for assertions (RFC 7523 §2.1): opaque, bound to a name, five minutes. Only their
 * digests are kept, in memory: after a restart they are exchanged anew.
 */
export class AccessTokens {
  readonly #clock: Clock
  readonly #random: Random
  readonly #tokens = new Map<string, { readonly name: string; readonly expires: Instant }>()

  constructor({ clock, random }: { clock: Clock; random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** A new token for a name. */
  give(name: string): { readonly token: string; readonly lifetimeMs: number } {
    const token = Buffer.from(this.#random.bytes(32)).toString('base64url')
    if (this.#tokens.size >= TOKENS_MAX) this.forgetExpired()
    const oldest = this.#tokens.keys().next().value
    if (this.#tokens.size >= TOKENS_MAX && oldest !== undefined) this.#tokens.delete(oldest)
    this.#tokens.set(digestOfToken(token), {
      name,
      expires: later(this.#clock.now(), LIMITS.tokenLifetimeMsMax),
    })
    return { token, lifetimeMs: LIMITS.tokenLifetimeMsMax }
  }

  /** Whose token it is; `undefined` when it is nobody's or has expired. */
  nameOf(token: string): string | undefined {
    const known = this.#tokens.get(digestOfToken(token))
    return known && known.expires > this.#clock.now() ? known.name : undefined
  }

  /** Takes every token of a name away: its keys changed, or it was suspended. */
  revoke(name: string): void {
    for (const [digest, known] of this.#tokens) if (known.name === name) this.#tokens.delete(digest)
  }

  forgetExpired(): void {
    const now = this.#clock.now()
    for (const [digest, { expires }] of this.#tokens) if (expires <= now) this.#tokens.delete(digest)
  }
}

function digestOfToken(token: string): string {
  return Buffer.from(sha256(token)).toString('base64url')
}
